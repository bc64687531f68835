PRAGMA foreign_keys=OFF;
BEGIN TRANSACTION;
CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL, crc INTEGER NOT NULL) STRICT;
INSERT INTO meta VALUES('epoch','0xa7qjbr',2413218072);
INSERT INTO meta VALUES('identity','rjomt8dpp1ogxt4i',4146201546);
INSERT INTO meta VALUES('clean','1',1832498581);
INSERT INTO meta VALUES('boot','boot-1',2517194409);
INSERT INTO meta VALUES('durability','process',1947849468);
INSERT INTO meta VALUES('names','1 436443236',3952146560);
INSERT INTO meta VALUES('extent','3 0 90',953672850);
INSERT INTO meta VALUES('revision','2',978638716);
CREATE TABLE events (
     offset INTEGER PRIMARY KEY, type TEXT NOT NULL, subject TEXT, timestamp TEXT NOT NULL,
     size INTEGER NOT NULL, crc INTEGER NOT NULL, json TEXT NOT NULL
   ) STRICT;
INSERT INTO events VALUES(1,'model.added','model/1','2026-11-01T00:00:00.000Z',30,1280308146,'{"number":1}');
INSERT INTO events VALUES(2,'model.deleted','model/2','2026-11-01T00:00:00.000Z',30,1490410605,'{"number":2}');
INSERT INTO events VALUES(3,'test.happened',NULL,'2026-11-01T00:00:00.000Z',30,434340485,'"ü"');
CREATE TABLE dedupe (key TEXT PRIMARY KEY, offset INTEGER NOT NULL, timestamp TEXT NOT NULL, until INTEGER NOT NULL, crc INTEGER NOT NULL) STRICT, WITHOUT ROWID;
CREATE TABLE checkpoints (
     name TEXT PRIMARY KEY, epoch TEXT, offset INTEGER, holder INTEGER, until INTEGER NOT NULL, crc INTEGER
   ) STRICT, WITHOUT ROWID;
INSERT INTO checkpoints VALUES('webhooks','0xa7qjbr',3,1,1793491201000,3638651967);
CREATE TABLE records (key TEXT PRIMARY KEY, value TEXT NOT NULL, revision INTEGER NOT NULL, crc INTEGER NOT NULL) STRICT, WITHOUT ROWID;
INSERT INTO records VALUES('endpoint/a','{}',2,1731961479);
CREATE TABLE delivery_events (
     id TEXT PRIMARY KEY, type TEXT NOT NULL, subject TEXT, timestamp TEXT NOT NULL, crc INTEGER NOT NULL, json TEXT NOT NULL
   ) STRICT;
INSERT INTO delivery_events VALUES('0xa7qjbr-1','model.added','model/1','2026-11-01T00:00:00.000Z',2683330498,'{"number":1}');
INSERT INTO delivery_events VALUES('0xa7qjbr-2','model.deleted','model/2','2026-11-01T00:00:00.000Z',3377860209,'{"number":2}');
INSERT INTO delivery_events VALUES('0xa7qjbr-3','test.happened',NULL,'2026-11-01T00:00:00.000Z',1587750993,'"ü"');
CREATE TABLE deliveries (
     sequence INTEGER PRIMARY KEY AUTOINCREMENT, endpoint_id TEXT NOT NULL, event_id TEXT NOT NULL, order_key TEXT,
     created_at INTEGER NOT NULL, state TEXT NOT NULL, due_at INTEGER, ended_at INTEGER, reason TEXT,
     blocked INTEGER NOT NULL DEFAULT 0, attempt_count INTEGER NOT NULL DEFAULT 0, attempts TEXT NOT NULL DEFAULT '[]', crc INTEGER,
     UNIQUE (endpoint_id, event_id)
   ) STRICT;
INSERT INTO deliveries VALUES(1,'a','0xa7qjbr-1','model/1',1793491200000,'succeeded',NULL,1793491200000,NULL,1,1,'[{"at":1793491200000,"tookMs":12,"category":"succeeded","status":204,"answer":null}]',4080881067);
INSERT INTO deliveries VALUES(2,'a','0xa7qjbr-2','model/2',1793491200000,'pending',1793577600000,NULL,NULL,0,1,'[{"at":1793491200000,"tookMs":12,"category":"http_500","status":500,"answer":null}]',4189671757);
INSERT INTO deliveries VALUES(3,'a','0xa7qjbr-3',NULL,1793491200000,'pending',1793491200000,NULL,NULL,0,0,'[]',728587852);
INSERT INTO deliveries VALUES(4,'b','0xa7qjbr-1','model/1',1793491200000,'dead',NULL,1793491200000,'endpoint_gone',1,1,'[{"at":1793491200000,"tookMs":12,"category":"http_410","status":410,"answer":null}]',2028893106);
INSERT INTO deliveries VALUES(5,'b','0xa7qjbr-2','model/2',1793491200000,'pending',1793491200000,NULL,NULL,0,0,'[]',1919577940);
INSERT INTO deliveries VALUES(6,'b','0xa7qjbr-3',NULL,1793491200000,'pending',1793491200000,NULL,NULL,0,0,'[]',699619691);
CREATE TABLE backlogs (endpoint_id TEXT PRIMARY KEY, unfinished INTEGER NOT NULL) STRICT, WITHOUT ROWID;
INSERT INTO backlogs VALUES('a',2);
INSERT INTO backlogs VALUES('b',2);
CREATE TABLE seen (sequence INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL, content TEXT NOT NULL, crc INTEGER NOT NULL) STRICT;
DELETE FROM sqlite_sequence;
INSERT INTO sqlite_sequence VALUES('deliveries',6);
CREATE INDEX dedupe_until ON dedupe (until);
CREATE INDEX deliveries_due ON deliveries (endpoint_id, due_at, sequence) WHERE ended_at IS NULL AND blocked = 0;
CREATE INDEX deliveries_order ON deliveries (endpoint_id, order_key, sequence) WHERE ended_at IS NULL AND order_key IS NOT NULL;
CREATE INDEX deliveries_event ON deliveries (event_id);
CREATE INDEX deliveries_finished ON deliveries (state, ended_at) WHERE ended_at IS NOT NULL;
CREATE INDEX seen_id ON seen (id);
CREATE INDEX seen_content ON seen (content);
COMMIT;

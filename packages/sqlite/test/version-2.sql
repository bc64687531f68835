PRAGMA foreign_keys=OFF;
BEGIN TRANSACTION;
CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL, crc INTEGER NOT NULL) STRICT;
INSERT INTO meta VALUES('epoch','m0izyamp',3663114345);
INSERT INTO meta VALUES('identity','fzgh5e85h2era61f',2752228211);
INSERT INTO meta VALUES('clean','1',1832498581);
INSERT INTO meta VALUES('boot','boot-1',2517194409);
INSERT INTO meta VALUES('durability','process',1947849468);
INSERT INTO meta VALUES('names','1 436443236',3952146560);
INSERT INTO meta VALUES('extent','3 0 79',3750261176);
INSERT INTO meta VALUES('revision','2',978638716);
CREATE TABLE events (
     offset INTEGER PRIMARY KEY, type TEXT NOT NULL, subject TEXT, timestamp TEXT NOT NULL,
     size INTEGER NOT NULL, crc INTEGER NOT NULL, json TEXT NOT NULL
   ) STRICT;
INSERT INTO events VALUES(1,'model.added','model/1','2026-11-01T00:00:00.000Z',30,1280308146,'{"number":1}');
INSERT INTO events VALUES(2,'model.deleted','model/2','2026-11-01T00:00:00.000Z',32,1189276412,'{"number":2}');
INSERT INTO events VALUES(3,'test.happened',NULL,'2026-11-01T00:00:00.000Z',17,3640985156,'"ü"');
CREATE TABLE dedupe (key TEXT PRIMARY KEY, offset INTEGER NOT NULL, timestamp TEXT NOT NULL, until INTEGER NOT NULL, crc INTEGER NOT NULL) STRICT, WITHOUT ROWID;
INSERT INTO dedupe VALUES('sync/1',1,'2026-11-01T00:00:00.000Z',1793491500000,938107945);
CREATE TABLE checkpoints (
     name TEXT PRIMARY KEY, epoch TEXT, offset INTEGER, holder INTEGER, until INTEGER NOT NULL, crc INTEGER
   ) STRICT, WITHOUT ROWID;
INSERT INTO checkpoints VALUES('webhooks','m0izyamp',3,2,1793491201000,2371949902);
CREATE TABLE records (key TEXT PRIMARY KEY, value TEXT NOT NULL, revision INTEGER NOT NULL, crc INTEGER NOT NULL) STRICT, WITHOUT ROWID;
INSERT INTO records VALUES('endpoint/a','{}',1,1702698206);
CREATE TABLE delivery_events (
     id TEXT PRIMARY KEY, type TEXT NOT NULL, subject TEXT, timestamp TEXT NOT NULL, crc INTEGER NOT NULL, json TEXT NOT NULL
   ) STRICT;
INSERT INTO delivery_events VALUES('m0izyamp-1','model.added','model/1','2026-11-01T00:00:00.000Z',1497942011,'{"number":1}');
INSERT INTO delivery_events VALUES('m0izyamp-2','model.deleted','model/2','2026-11-01T00:00:00.000Z',956718597,'{"number":2}');
INSERT INTO delivery_events VALUES('m0izyamp-3','test.happened',NULL,'2026-11-01T00:00:00.000Z',1301562641,'"ü"');
CREATE TABLE deliveries (
     sequence INTEGER PRIMARY KEY AUTOINCREMENT, endpoint_id TEXT NOT NULL, event_id TEXT NOT NULL, order_key TEXT,
     created_at INTEGER NOT NULL, state TEXT NOT NULL, due_at INTEGER, ended_at INTEGER, reason TEXT,
     blocked INTEGER NOT NULL DEFAULT 0, token INTEGER NOT NULL DEFAULT 0,
     attempt_count INTEGER NOT NULL DEFAULT 0, attempts TEXT NOT NULL DEFAULT '[]',
     UNIQUE (endpoint_id, event_id)
   ) STRICT;
INSERT INTO deliveries VALUES(1,'a','m0izyamp-1','model/1',1793491200000,'succeeded',NULL,1793491200000,NULL,1,2,1,'[{"at":1,"tookMs":1,"category":"ok","status":200,"answer":null}]');
INSERT INTO deliveries VALUES(2,'a','m0izyamp-2','model/2',1793491200000,'pending',1793577600000,NULL,NULL,0,2,1,'[{"at":1,"tookMs":1,"category":"ok","status":200,"answer":null}]');
INSERT INTO deliveries VALUES(3,'a','m0izyamp-3',NULL,1793491200000,'pending',0,NULL,NULL,0,0,0,'[]');
INSERT INTO deliveries VALUES(4,'b','m0izyamp-1','model/1',1793491200000,'dead',NULL,1793491200000,'endpoint_gone',1,2,1,'[{"at":1,"tookMs":1,"category":"ok","status":200,"answer":null}]');
INSERT INTO deliveries VALUES(5,'b','m0izyamp-2','model/2',1793491200000,'attempting',1793491201000,NULL,NULL,0,1,0,'[]');
INSERT INTO deliveries VALUES(6,'b','m0izyamp-3',NULL,1793491200000,'pending',0,NULL,NULL,0,0,0,'[]');
CREATE TABLE backlogs (endpoint_id TEXT PRIMARY KEY, unfinished INTEGER NOT NULL) STRICT, WITHOUT ROWID;
INSERT INTO backlogs VALUES('a',2);
INSERT INTO backlogs VALUES('b',2);
DELETE FROM sqlite_sequence;
INSERT INTO sqlite_sequence VALUES('deliveries',6);
CREATE INDEX dedupe_until ON dedupe (until);
CREATE INDEX deliveries_due ON deliveries (endpoint_id, due_at, sequence) WHERE ended_at IS NULL AND blocked = 0;
CREATE INDEX deliveries_order ON deliveries (endpoint_id, order_key, sequence) WHERE ended_at IS NULL AND order_key IS NOT NULL;
CREATE INDEX deliveries_ended ON deliveries (ended_at) WHERE ended_at IS NOT NULL;
CREATE INDEX deliveries_event ON deliveries (event_id);
CREATE TRIGGER backlog_added AFTER INSERT ON deliveries WHEN new.ended_at IS NULL BEGIN
     INSERT INTO backlogs (endpoint_id, unfinished) VALUES (new.endpoint_id, 1)
       ON CONFLICT (endpoint_id) DO UPDATE SET unfinished = unfinished + 1;
   END;
CREATE TRIGGER backlog_revived AFTER UPDATE OF ended_at ON deliveries WHEN old.ended_at IS NOT NULL AND new.ended_at IS NULL BEGIN
     INSERT INTO backlogs (endpoint_id, unfinished) VALUES (new.endpoint_id, 1)
       ON CONFLICT (endpoint_id) DO UPDATE SET unfinished = unfinished + 1;
   END;
CREATE TRIGGER backlog_ended AFTER UPDATE OF ended_at ON deliveries WHEN old.ended_at IS NULL AND new.ended_at IS NOT NULL BEGIN
     UPDATE backlogs SET unfinished = unfinished - 1 WHERE endpoint_id = new.endpoint_id;
     DELETE FROM backlogs WHERE endpoint_id = new.endpoint_id AND unfinished <= 0;
   END;
CREATE TRIGGER backlog_removed AFTER DELETE ON deliveries WHEN old.ended_at IS NULL BEGIN
     UPDATE backlogs SET unfinished = unfinished - 1 WHERE endpoint_id = old.endpoint_id;
     DELETE FROM backlogs WHERE endpoint_id = old.endpoint_id AND unfinished <= 0;
   END;
CREATE INDEX deliveries_attempting ON deliveries (sequence) WHERE state = 'attempting';
COMMIT;

import { MemoryRecords, MemoryStore } from "@starcast/core";
import { describeCheckpoints, describeDeliveries, describeEventLog, describeRecords } from "@starcast/testing";

const inMemory = { durable: false, shared: false };

describeEventLog("MemoryStore", { open: async (request) => new MemoryStore(request).log, ...inMemory });

describeCheckpoints("MemoryStore", { open: async (request) => new MemoryStore(request).checkpoints, ...inMemory });

describeDeliveries("MemoryStore", { open: async (request) => new MemoryStore(request), ...inMemory });

describeRecords("MemoryStore", { open: async () => new MemoryRecords(), ...inMemory });

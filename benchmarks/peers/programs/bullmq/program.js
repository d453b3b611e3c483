// BullMQ on Node: one process, one event loop, what is completed is removed at once.
//
// Settings: https://docs.bullmq.io/guide/workers/concurrency (`concurrency`),
// https://docs.bullmq.io/guide/queues/auto-removal-of-jobs (`removeOnComplete`) and
// https://docs.bullmq.io/guide/queues/adding-bulks (`addBulk`). Recovery is left as it comes: locks of 30 s, looked at
// every 30 s.
//
//     node program.js enqueue|bulk|work --sleep S --jobs N --seconds S --rate N --slots N

const fs = require("node:fs");
const { parseArgs } = require("node:util");
const { setTimeout: pause } = require("node:timers/promises");
const IORedis = require("ioredis");
const { Queue, Worker } = require("bullmq");

const BATCH = 1000;
const LOOK_EVERY = 50;
const HELD_S = 1;

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: Object.fromEntries(["sleep", "jobs", "seconds", "rate", "slots"].map((name) => [name, { type: "string" }])),
});
const wanted = { sleep: 0, jobs: 1, seconds: 600, rate: 0, slots: 10 };
for (const [name, value] of Object.entries(values)) wanted[name] = Number(value);

const connection = new IORedis.Redis(process.env.PEER_URL, { maxRetriesPerRequest: null });
const now = () => process.hrtime.bigint();
const secondsSince = (begun) => Number(now() - begun) / 1e9;

function oneJob() {
  const data = { to: "info@example.com", title: "Hello", text: `${wanted.sleep}/${now()}` };
  return { name: "send", data, opts: { removeOnComplete: true } };
}

async function enqueue(queue) {
  const begun = now();
  for (let number = 0; number < wanted.jobs; number++) {
    if (wanted.rate) await pause(Math.max(0, (number / wanted.rate - secondsSince(begun)) * 1000));
    const { name, data, opts } = oneJob();
    await queue.add(name, data, opts);
    if (number % LOOK_EVERY === 0 && secondsSince(begun) > wanted.seconds) return [number + 1, secondsSince(begun)];
  }
  return [wanted.jobs, secondsSince(begun)];
}

async function bulk(queue) {
  const begun = now();
  let done = 0;
  while (done < wanted.jobs && secondsSince(begun) <= wanted.seconds) {
    const size = Math.min(BATCH, wanted.jobs - done);
    await queue.addBulk(Array.from({ length: size }, oneJob));
    done += size;
  }
  return [done, secondsSince(begun)];
}

async function offer(command) {
  const queue = new Queue("peers", { connection });
  const { name, data, opts } = oneJob();
  await queue.add(name, data, opts); // Connects: not timed.
  const [jobs, seconds] = await (command === "bulk" ? bulk(queue) : enqueue(queue));
  console.log(JSON.stringify({ jobs, seconds, stored: jobs + 1 }));
  await queue.close();
  connection.disconnect();
}

function work() {
  const file = fs.openSync(process.env.BENCH_RECORDS, "a");
  const write = (enqueued, begun) => {
    const record = Buffer.allocUnsafe(24);
    record.writeBigInt64LE(BigInt(enqueued), 0);
    record.writeBigInt64LE(begun, 8);
    record.writeBigInt64LE(now(), 16);
    fs.writeSync(file, record);
  };
  const send = async (job) => {
    const begun = now();
    const [sleep, enqueued] = job.data.text.split("/");
    const seconds = Number(sleep);
    if (seconds >= HELD_S) write(enqueued, begun);
    if (seconds) await pause(seconds * 1000);
    if (seconds < HELD_S) write(enqueued, begun);
  };
  const worker = new Worker("peers", send, { connection, concurrency: wanted.slots });
  worker.on("error", (error) => console.error(error));
  process.on("SIGTERM", () => worker.close().then(() => process.exit(0)));
}

if (positionals[0] === "work") work();
else offer(positionals[0]);

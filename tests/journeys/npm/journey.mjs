// What the scripts share: their input, a customer, and their result, as JSON lines on stdin and stdout.
import { createInterface } from "node:readline";

const lines = createInterface({ input: process.stdin })[Symbol.asyncIterator]();

async function nextLine() {
  const { value, done } = await lines.next();
  if (done) throw new Error("the test has gone");
  return JSON.parse(value);
}

export const given = await nextLine();

// Sends the customer to this address; the address where their browser ended.
export async function visit(url) {
  process.stdout.write(JSON.stringify({ visit: String(url) }) + "\n");
  return new URL(await nextLine());
}

export function done(result) {
  process.stdout.write(JSON.stringify({ done: result }) + "\n", () => process.exit(0));
}

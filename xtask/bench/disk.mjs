// What the disk itself does.

import { closeSync, fdatasyncSync, openSync, rmSync, writeSync } from "node:fs";
import { join } from "node:path";

const LENGTH = 0.5;

// Appends of 4 KiB a second, each synced, on the disk that the folder lies on.
export function syncs(folder) {
  const file = join(folder, "syncs");
  const handle = openSync(file, "w");
  const block = Buffer.alloc(4096, 7);
  const start = process.hrtime.bigint();
  let count = 0;
  let took = 0;
  while (took < LENGTH) {
    writeSync(handle, block);
    fdatasyncSync(handle);
    count += 1;
    took = Number(process.hrtime.bigint() - start) / 1e9;
  }
  closeSync(handle);
  rmSync(file);
  return count / took;
}

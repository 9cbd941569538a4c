// Builds the page of queues into the folder of the page that is being built. Trunk runs this after each
// build (see Trunk.toml).
import { execFileSync } from "node:child_process";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const root = join(dirname(fileURLToPath(import.meta.url)), "..");
const { TRUNK_STAGING_DIR: folder, TRUNK_PROFILE: profile } = process.env;

// What the first Trunk tells its hooks is not meant for the second; of NO_COLOR both would say that it
// must be `true` or `false`.
const isOthers = (name) => name.startsWith("TRUNK_") || name === "NO_COLOR";
const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => !isOthers(name)));

const args = ["build", "--config", "board.Trunk.toml", "--dist", join(folder, "board")];
if (profile === "release") args.push("--release");
execFileSync("trunk", args, { cwd: root, env, stdio: "inherit" });

// Builds the pages' style sheets. Trunk runs this before each build (see Trunk.toml).
import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const root = join(dirname(fileURLToPath(import.meta.url)), "../..");
const modules = join(root, "node_modules");
const folder = join(root, "target/page");

if (!existsSync(join(modules, "@tailwindcss/cli"))) {
  const windows = process.platform === "win32";
  execFileSync("npm", ["ci"], { cwd: root, stdio: "inherit", shell: windows });
}

mkdirSync(folder, { recursive: true });
for (const name of ["app.css", "board.css"]) build(name);

function build(name) {
  const out = join(folder, name);
  const draft = `${out}.new`;
  const cli = join(modules, "@tailwindcss/cli/dist/index.mjs");
  const args = ["--input", join(root, "frontend/style", name), "--output", draft, "--minify"];
  execFileSync(process.execPath, [cli, ...args], {
    cwd: root,
    stdio: ["ignore", "inherit", "pipe"],
    encoding: "utf8",
  });

  // An untouched file keeps its time, so that nothing downstream takes it for news.
  const css = readFileSync(draft);
  if (!existsSync(out) || !css.equals(readFileSync(out))) {
    renameSync(draft, out);
  } else {
    rmSync(draft);
  }
}

// Run Python under Pyodide, which has our wheel: node in_pyodide.mjs PYODIDE WHEEL < code
// What the code's last line gives is written out. Errors too, without Pyodide's one line of 1 MB.
import { readFileSync } from "node:fs";
import { pathToFileURL } from "node:url";

const [core, wheel] = process.argv.slice(2);
try {
  const { loadPyodide } = await import(pathToFileURL(`${core}/pyodide.mjs`));
  const pyodide = await loadPyodide();
  pyodide.unpackArchive(new Uint8Array(readFileSync(wheel)), "wheel", { extractDir: "/wheel" });
  pyodide.runPython("import sys; sys.path.insert(0, '/wheel')");
  console.log(pyodide.runPython(readFileSync(0, "utf-8")));
} catch (error) {
  console.error(error.message);
  process.exitCode = 1;
}

/**
 * What the documentation leaves out: public names without a doc comment, functions without an example, modules without
 * a header, examples that observe nothing.
 *
 * Public is what can be reached from an entry of a package. The example of a function may stand in its own comment or
 * in the header of the module that declares it.
 */
import { type Declaration, exportsOf, headerOf } from "./repository/docs.ts"
import { type Fence, fencesOf, treatment } from "./repository/fences.ts"
import { sourceOf } from "./repository/source.ts"
import { packages, shown, sourcesOf } from "./repository/workspace.ts"

const hasExample = (text: string): boolean => /^\s*```ts$/m.test(text)

/** What a name lacks: its declarations share one comment, but a type and a value of the same name have one each. */
const lacks = (name: string, declarations: ReadonlyArray<Declaration>): ReadonlyArray<string> => [
  ...lacksOne(
    name,
    declarations.filter(({ kind }) => kind === "type")
  ),
  ...lacksOne(
    name,
    declarations.filter(({ kind }) => kind !== "type")
  )
]

function lacksOne(name: string, declarations: ReadonlyArray<Declaration>): ReadonlyArray<string> {
  const [first] = declarations
  if (first === undefined) return []
  const at = `${shown(first.file)}:${first.line}  ${name}`
  const doc = declarations.map((one) => one.doc).join("\n")
  if (doc.trim() === "") return [`${at} has no doc comment`]
  const shows = hasExample(doc) || hasExample(headerOf(sourceOf(first.file)))
  return declarations.some(({ kind }) => kind === "function") && !shows ? [`${at} has no example`] : []
}

const undocumented = (file: string): ReadonlyArray<string> =>
  [...exportsOf(file)].flatMap(([name, declarations]) => lacks(name, declarations))

/** An internal module of one function may open with the comment of this function. */
function headless(file: string): ReadonlyArray<string> {
  const source = sourceOf(file)
  const opens = file.includes("internal") ? source.text.startsWith("/**") : headerOf(source) !== ""
  return opens ? [] : [`${shown(file)}:1  the module has no header comment`]
}

const idle = ({ code, file, line }: Fence): ReadonlyArray<string> =>
  /\bassert\b/.test(code) ? [] : [`${shown(file)}:${line}  the example asserts nothing`]

const complaints = new Set(
  packages.flatMap((self) => [
    ...self.entries.flatMap(({ file }) => undocumented(file)),
    ...sourcesOf(self).flatMap(headless),
    ...sourcesOf(self)
      .flatMap(fencesOf)
      .filter((fence) => treatment(fence) === "run")
      .flatMap(idle)
  ])
)
for (const complaint of [...complaints].toSorted()) console.error(complaint)
const names = packages.flatMap(({ entries }) => entries.flatMap(({ file }) => [...exportsOf(file).keys()])).length
console.log(`docs coverage: ${names} public names, ${complaints.size} complaints`)
process.exitCode = complaints.size === 0 ? 0 : 1

/**
 * What a module publishes, and what its comments say about it.
 *
 * Exports are followed through `export … from` to the declaration, because that is where the comment stands. What comes
 * from another package is documented there and left out.
 */
import { docText, isDoc } from "./fences.ts"
import { lineAt, resolveRelative, type Source, sourceOf, type Statement } from "./source.ts"

/** A function must show an example; the others only need a sentence. */
type Kind = "function" | "value" | "type" | "namespace"

export interface Declaration {
  readonly name: string
  readonly kind: Kind
  readonly file: string
  readonly line: number
  /** Empty when there is no doc comment. */
  readonly doc: string
}

type Exports = ReadonlyMap<string, ReadonlyArray<Declaration>>
type Named = readonly [name: string, declarations: ReadonlyArray<Declaration>]
type Node<Type extends Statement["type"]> = Extract<Statement, { readonly type: Type }>

/** The comment that opens a module: above its imports, not above its first declaration. */
export const headerOf = ({ body, comments, text }: Source): string => {
  const first = body[0]
  const above = comments.filter((comment) => isDoc(comment) && (first === undefined || comment.end <= first.start))
  const owned = first === undefined || !declares(first) ? 0 : 1
  const header = above[0]
  return header === undefined || above.length === owned || text.slice(0, header.start).trim() !== ""
    ? ""
    : docText(header)
}

const declares = (statement: Statement): boolean =>
  !(statement.type === "ImportDeclaration" || statement.type === "ExportAllDeclaration") &&
  !(statement.type === "ExportNamedDeclaration" && statement.declaration === null)

/** Everything a module exports, by the name it is exported under. */
export const exportsOf = (file: string): Exports => {
  const source = sourceOf(file)
  const found = new Map<string, ReadonlyArray<Declaration>>()
  for (const statement of source.body) {
    for (const [name, declarations] of exported(source, statement)) {
      found.set(name, [...(found.get(name) ?? []), ...declarations])
    }
  }
  return found
}

function exported(source: Source, statement: Statement): ReadonlyArray<Named> {
  if (statement.type === "ExportAllDeclaration") return exportedAll(source, statement)
  if (statement.type !== "ExportNamedDeclaration") return []
  if (statement.declaration !== null) {
    return declared(source, statement.declaration, statement.start).map((one) => [one.name, [one]])
  }
  return statement.specifiers.map((specifier) => {
    const from = statement.source?.value
    const local = nameOf(specifier.local)
    const found = from === undefined ? inside(source, local) : behind(source, from, local)
    const doc = docAbove(source, specifier.start)
    return [nameOf(specifier.exported), doc === "" ? found : found.map((one) => ({ ...one, doc }))]
  })
}

function exportedAll(source: Source, statement: Node<"ExportAllDeclaration">): ReadonlyArray<Named> {
  const target = resolveRelative(source.file, statement.source.value)
  if (target === undefined) return []
  return statement.exported === null
    ? [...exportsOf(target)]
    : [[nameOf(statement.exported), [namespace(target, nameOf(statement.exported), docAbove(source, statement.start))]]]
}

const namespace = (file: string, name: string, doc: string): Declaration => ({
  name,
  kind: "namespace",
  file,
  line: 1,
  doc: doc === "" ? headerOf(sourceOf(file)) : doc
})

/** What a name means that a module exports from another one. */
function behind(source: Source, specifier: string, name: string): ReadonlyArray<Declaration> {
  const target = resolveRelative(source.file, specifier)
  if (target === undefined) return []
  const declarations = exportsOf(target).get(name)
  if (declarations === undefined) throw new Error(`${source.file} exports ${name}, which ${target} does not have`)
  return declarations
}

/** What a name means inside a module: declared there or imported. */
function inside(source: Source, name: string): ReadonlyArray<Declaration> {
  const declarations = source.body
    .flatMap((statement) => declared(source, statement, statement.start))
    .filter((one) => one.name === name)
  return declarations.length > 0 ? declarations : imported(source, name)
}

function imported(source: Source, name: string): ReadonlyArray<Declaration> {
  for (const statement of source.body) {
    if (statement.type !== "ImportDeclaration") continue
    const specifier = statement.specifiers.find(({ local }) => local.name === name)
    if (specifier?.type === "ImportSpecifier") return behind(source, statement.source.value, nameOf(specifier.imported))
    const target = specifier && resolveRelative(source.file, statement.source.value)
    if (target !== undefined) return [namespace(target, name, "")]
  }
  return []
}

/** The declarations in a statement; the doc comment is looked for above `start`. */
function declared(source: Source, statement: Statement, start: number): ReadonlyArray<Declaration> {
  const one = (name: string, kind: Kind): Declaration => ({
    name,
    kind,
    file: source.file,
    line: lineAt(source.text, start),
    doc: docAbove(source, start)
  })
  switch (statement.type) {
    case "FunctionDeclaration":
    case "TSDeclareFunction":
      return statement.id === null ? [] : [one(statement.id.name, "function")]
    case "ClassDeclaration":
      return statement.id === null ? [] : [one(statement.id.name, "value")]
    case "TSTypeAliasDeclaration":
    case "TSInterfaceDeclaration":
      return [one(statement.id.name, "type")]
    case "TSModuleDeclaration":
      return statement.id.type === "Identifier" ? [one(statement.id.name, "namespace")] : []
    case "VariableDeclaration":
      return statement.declarations.flatMap(({ id, init }) =>
        id.type === "Identifier" ? [one(id.name, isFunction(id.typeAnnotation, init) ? "function" : "value")] : []
      )
    default:
      return []
  }
}

type Declarator = Node<"VariableDeclaration">["declarations"][number]
type Annotation = Extract<Declarator["id"], { readonly type: "Identifier" }>["typeAnnotation"]

/** Whether a constant is a function: by its type, or by what it is made of. */
function isFunction(annotation: Annotation, init: Declarator["init"]): boolean {
  const type = annotation?.typeAnnotation
  if (type?.type === "TSFunctionType") return true
  if (type?.type === "TSTypeLiteral") {
    return type.members.some(({ type: member }) => member === "TSCallSignatureDeclaration")
  }
  return init !== null && makesFunction(init)
}

function makesFunction(init: NonNullable<Declarator["init"]>): boolean {
  switch (init.type) {
    case "ArrowFunctionExpression":
    case "FunctionExpression":
      return true
    case "TSAsExpression":
    case "TSSatisfiesExpression":
      return makesFunction(init.expression)
    case "CallExpression":
      return (
        makers.has(calledName(init.callee)) || (init.callee.type === "CallExpression" && makesFunction(init.callee))
      )
    default:
      return false
  }
}

/** Calls that answer with a function: `dual(2, f)`, `Effect.fn("name")(f)`, `leafwise(maker)`. */
const makers: ReadonlySet<string> = new Set(["dual", "fn", "fnUntraced", "leafwise"])

type Callee = Extract<NonNullable<Declarator["init"]>, { readonly type: "CallExpression" }>["callee"]

const calledName = (callee: Callee): string => {
  if (callee.type === "Identifier") return callee.name
  return callee.type === "MemberExpression" && callee.property.type === "Identifier" ? callee.property.name : ""
}

const nameOf = (name: { readonly type: string; readonly name?: string; readonly value?: string }): string =>
  name.name ?? name.value ?? ""

/** The doc comment that ends right above a place; line comments between do not count. */
function docAbove({ comments, text }: Source, start: number): string {
  let end = start
  for (const comment of comments.toReversed()) {
    if (comment.end > end) continue
    if (text.slice(comment.end, end).trim() !== "") return ""
    if (isDoc(comment)) return docText(comment)
    end = comment.start
  }
  return ""
}

/**
 * Class instances as nodes: their own fields are the children, by name; fixed ones are metadata.
 *
 * An instance is rebuilt field by field on its prototype, without its constructor: a mapped tree has leaves of another
 * type, which a validating constructor would refuse. Methods and getters keep working; private `#fields` are lost.
 */
import * as Schema from "effect/Schema"
import * as SchemaTransformation from "effect/SchemaTransformation"
import { GetAttrKey } from "../KeyPath.ts"
import type { NodeType, Parts } from "./nodeType.ts"
import { setOwn, sortedKeys } from "./plain.ts"

type Values = Readonly<Record<string, unknown>>

/** What an instance consists of besides its children: their names, and the fixed fields with their values. */
class Fields {
  readonly names: ReadonlyArray<string>
  readonly fixed: Values

  constructor(names: ReadonlyArray<string>, fixed: Values) {
    this.names = names
    this.fixed = fixed
  }

  toString(): string {
    return [...Object.entries(this.fixed).map(([name, value]) => `${name}=${String(value)}`), ...this.names].join(", ")
  }
}

const take = (self: Values, names: ReadonlyArray<string>): Parts<Fields> => {
  const children = names.map((name) => self[name])
  return { children, metadata: new Fields(names, {}), keys: names.map(GetAttrKey) }
}

const takeSome = (self: Values, names: ReadonlyArray<string>, isFixed: (name: string) => boolean): Parts<Fields> => {
  const fixed = {}
  for (const name of names) if (isFixed(name)) setOwn(fixed, name, self[name])
  const rest = names.filter((name) => !isFixed(name))
  return { ...take(self, rest), metadata: new Fields(rest, fixed) }
}

const put = (prototype: object, { fixed, names }: Fields, children: ReadonlyArray<unknown>): Values => {
  const self = Object.create(prototype) as Values
  for (const name of Object.keys(fixed)) setOwn(self, name, fixed[name])
  names.forEach((name, index) => setOwn(self, name, children[index]))
  return self
}

const isTag = (self: Values): boolean => Object.hasOwn(self, "_tag") && typeof self["_tag"] === "string"

/** The codecs of fixed fields, by name. */
export type FixedFields = Readonly<Record<string, Schema.Codec<unknown, unknown>>>

const codec = (fixed: FixedFields): Schema.Codec<Fields, unknown> =>
  Schema.Struct({
    names: Schema.Array(Schema.String),
    fixed: Schema.Struct({ ...fixed, _tag: Schema.optionalKey(Schema.String) })
  }).pipe(
    Schema.decodeTo(
      Schema.instanceOf(Fields),
      SchemaTransformation.transform({
        decode: ({ fixed, names }) => new Fields(names, fixed),
        encode: ({ fixed, names }) => ({ names, fixed })
      })
    )
  )

/** The node type of instances with this prototype. A string under `_tag` is always fixed. */
export const fieldsOf = (prototype: object, fixed: FixedFields, name?: string): NodeType<unknown, Fields> => ({
  ...(name === undefined ? {} : { name }),
  metadata: codec(fixed),
  flatten: (self) => {
    const values = self as Values
    const names = sortedKeys(values)
    const isFixed = (name: string): boolean => Object.hasOwn(fixed, name) || (name === "_tag" && isTag(values))
    return names.some(isFixed) ? takeSome(values, names, isFixed) : take(values, names)
  },
  unflatten: (metadata, children) => put(prototype, metadata, children)
})

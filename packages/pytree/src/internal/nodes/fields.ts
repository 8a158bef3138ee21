/**
 * Class instances as nodes: their own fields are the children, by name; fixed ones are metadata.
 *
 * An instance is rebuilt field by field on its prototype, without its constructor: a mapped tree has leaves of another
 * type, which a validating constructor would refuse. Methods and getters keep working; private `#fields` are lost.
 */
import * as Schema from "effect/Schema"
import * as SchemaTransformation from "effect/SchemaTransformation"
import { GetAttrKey, type Key } from "../../KeyPath.ts"
import type { NodeType } from "./nodeType.ts"
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

/** Fields, and the keys of the children in paths. */
interface Shape {
  readonly metadata: Fields
  readonly keys: ReadonlyArray<Key>
}

const shapeOf = (names: ReadonlyArray<string>, fixed: Values): Shape => ({
  metadata: new Fields(names, fixed),
  keys: names.map(GetAttrKey)
})

type IsFixed = (name: string) => boolean

const hasShape = (self: Values, names: ReadonlyArray<string>, isFixed: IsFixed, { fixed, names: children }: Fields) => {
  let child = 0
  for (const name of names) {
    if (!isFixed(name)) {
      if (name !== children[child++]) return false
    } else if (!Object.hasOwn(fixed, name) || !Object.is(fixed[name], self[name])) return false
  }
  return child === children.length && names.length === child + Object.keys(fixed).length
}

/** The shape of an instance; `last` if it is that one, since most instances of a class are alike. */
const shape = (self: Values, last: Shape, isFixed: IsFixed): Shape => {
  const names = sortedKeys(self)
  if (hasShape(self, names, isFixed, last.metadata)) return last
  const fixed = {}
  for (const name of names) if (isFixed(name)) setOwn(fixed, name, self[name])
  return shapeOf(
    names.filter((name) => !isFixed(name)),
    fixed
  )
}

const put = (prototype: object, { fixed, names }: Fields, children: ReadonlyArray<unknown>): Values => {
  const self = Object.create(prototype) as Values
  for (const name of Object.keys(fixed)) setOwn(self, name, fixed[name])
  names.forEach((name, index) => setOwn(self, name, children[index]))
  return self
}

const isTag = (self: Values): boolean => typeof self["_tag"] === "string"

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
export const fieldsOf = (prototype: object, fixed: FixedFields, name?: string): NodeType<unknown, Fields> => {
  let last = shapeOf([], {})
  return {
    ...(name === undefined ? {} : { name }),
    metadata: codec(fixed),
    flatten: (self) => {
      const values = self as Values
      last = shape(values, last, (name) => Object.hasOwn(fixed, name) || (name === "_tag" && isTag(values)))
      const { keys, metadata } = last
      return { children: metadata.names.map((name) => values[name]), metadata, keys }
    },
    unflatten: (metadata, children) => put(prototype, metadata, children)
  }
}

/**
 * Which node type an instance has.
 *
 * The register of constructors is the one piece of state of this package. It hangs on `globalThis`, so that all copies
 * of the package share it.
 */
import { builtin, chunkType, optionType } from "./builtin.ts"
import { type AnyNodeType, symbol } from "./nodeType.ts"

interface Register {
  readonly byPrototype: Map<object, AnyNodeType>
  readonly byName: Map<string, AnyNodeType>
}

const key = "~@optim/pytree/register"

const make = (): Register => ({
  byPrototype: new Map(),
  byName: new Map<string, AnyNodeType>([
    [optionType.name, optionType],
    [chunkType.name, chunkType]
  ])
})

const register = (): Register => {
  // `globalThis` has no such property in its type
  const home = globalThis as { [key]?: Register }
  return (home[key] ??= make())
}

/** The node type registered under this name. */
export const typeNamed = (name: string): AnyNodeType | undefined => register().byName.get(name)

/** The node type registered for instances with this prototype. */
export const registeredType = (prototype: object): AnyNodeType | undefined => register().byPrototype.get(prototype)

/** Registers a node type for instances with this prototype. */
export const add = (prototype: object, type: AnyNodeType): void => {
  register().byPrototype.set(prototype, type)
  if (type.name !== undefined) register().byName.set(type.name, type)
}

/** The node type of a class instance, or nothing when it is a leaf. */
export const nodeTypeOf = (node: object): AnyNodeType | undefined => {
  const prototype = Object.getPrototypeOf(node) as object
  return registeredType(prototype) ?? (node as { [symbol]?: AnyNodeType })[symbol] ?? builtin(prototype)
}

/** A transform that may be absent, with one type of state for both cases. */
import type { Transform } from "./transform.ts"

/** The transform, or one that does nothing and remembers nothing. */
export const optional = <S, Needs extends string>(
  transform: Transform<S, Needs> | undefined
): Transform<S | null, Needs> => ({
  name: transform?.name ?? "identity",
  hyperParameters: transform?.hyperParameters ?? {},
  needs: transform?.needs ?? {},
  init: (params) => (transform === undefined ? null : transform.init(params)),
  update: (updates, state, context) =>
    transform === undefined || state === null ? { updates, state: null } : transform.update(updates, state, context)
})

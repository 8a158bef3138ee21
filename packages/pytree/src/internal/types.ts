/**
 * What the walkers do, at the level of types.
 *
 * A type is taken for a leaf if it is primitive, a function, or an object type with a method: that is how `tf.Tensor`,
 * `Date` or a typed array are told from `{ w: …, b: … }`. Arrays, tuples, `Option`, `Chunk`, instances of `Data.Class`
 * and classes with a node type are containers, as they are at run time.
 */
import type * as Chunk from "effect/Chunk"
import type * as Option from "effect/Option"
import type { Pipeable } from "effect/Pipeable"
import type { Node } from "./nodes/nodeType.ts"

type Primitive = string | number | bigint | boolean | symbol

// `never` accepts the parameters of every function
type AnyFunction = (...args: never) => unknown
type AnyClass = abstract new (...args: never) => unknown

type IsAny<T> = 0 extends 1 & T ? true : false

/** The keys of the properties that may be functions. */
type Methods<T> = {
  [K in keyof T]-?: IsAny<T[K]> extends true ? never : Extract<T[K], AnyFunction> extends never ? never : K
}[keyof T]

/** Effect's data types mark themselves with such keys, unlike instances of `Data.Class`. */
type Marks<T> = Extract<keyof T, `~${string}` | typeof Symbol.iterator>

/** Is this the type `object`, of which nothing is known? */
type IsObject<T> = [keyof T] extends [never] ? (object extends T ? (string extends T ? false : true) : false) : false

/** "leaf", "record" (a plain object), "instance" (of `Data.Class`) or "unknown" */
type KindOf<T> = T extends Primitive | AnyFunction | AnyClass
  ? "leaf"
  : [Methods<T>] extends [never]
    ? IsObject<T> extends true
      ? "unknown"
      : "record"
    : T extends Pipeable
      ? [Marks<T>] extends [never]
        ? "instance"
        : "leaf"
      : "leaf"

/** The fields of an instance that are children. */
type Fields<T> = Exclude<keyof T, "_tag" | Methods<T>>

/** how many levels `Leaf` looks into a type: recursive types would never end */
type Levels = [never, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15]
type Level = Levels[number] | 16

/**
 * The leaves of a tree of type `T`, as a union. With `L`, values of that type count as leaves too.
 *
 * Looks 16 levels deep, which exhausts every recursive type.
 */
export type Leaf<T, L = never, D extends Level = 16> =
  IsAny<T> extends true
    ? T
    : unknown extends T | L
      ? unknown
      : [D] extends [never]
        ? never
        : LeafOf<T, L, Levels[D & number] & Level>

type LeafOf<T, L, D extends Level> = T extends L
  ? T
  : T extends null | undefined | void
    ? never
    : T extends ReadonlyArray<infer A>
      ? Leaf<A, L, D>
      : T extends Option.Option<infer A>
        ? Leaf<A, L, D>
        : T extends Chunk.Chunk<infer A>
          ? Leaf<A, L, D>
          : T extends Node<unknown, infer C>
            ? Leaf<C, L, D>
            : LeafOfObject<T, KindOf<T>, L, D>

type LeafOfObject<T, Kind, L, D extends Level> = Kind extends "leaf"
  ? T
  : Kind extends "unknown"
    ? unknown
    : Kind extends "record"
      ? { [K in keyof T]-?: Leaf<T[K], L, D> }[keyof T]
      : { [K in Fields<T>]-?: Leaf<T[K], L, D> }[Fields<T>]

/** `unknown` if all leaves of `T` are of type `A`, else `never`: intersected with the type of a parameter, a check. */
export type AllLeaves<T, A> = [Leaf<T>] extends [A] ? unknown : never

/** The type of a property that is there. */
type Present<T, K extends keyof T> = Required<Pick<T, K>>[K]

/**
 * The tree type `T` with a `B` in place of every leaf. With `L`, values of that type count as leaves too.
 *
 * Arrays stay arrays, tuples stay tuples, objects keep their keys; `undefined` becomes `null`, as it does in trees.
 */
export type Mapped<T, B, L = never> = IsAny<T> extends true ? T : unknown extends T | L ? unknown : MappedOf<T, B, L>

/** The type of a tree with the structure that is seen when values of type `L` count as leaves. */
export type Marked<T, L> = Mapped<T, symbol, L>

type MappedOf<T, B, L> = T extends L
  ? B
  : T extends null | undefined | void
    ? null
    : T extends ReadonlyArray<infer A>
      ? MappedArray<T, A, B, L>
      : T extends Option.Option<infer A>
        ? Option.Option<Mapped<A, B, L>>
        : T extends Chunk.Chunk<infer A>
          ? Chunk.Chunk<Mapped<A, B, L>>
          : T extends Node<unknown, infer C>
            ? [B] extends [Leaf<C, L>]
              ? T
              : unknown
            : MappedObject<T, KindOf<T>, B, L>

// only this notation of arrays is evaluated lazily, without which recursive types would never end
type MappedArray<T extends ReadonlyArray<unknown>, A, B, L> = number extends T["length"]
  ? T extends Array<unknown>
    ? // oxlint-disable-next-line typescript/array-type -- see above
      Mapped<A, B, L>[]
    : // oxlint-disable-next-line typescript/array-type -- see above
      readonly Mapped<A, B, L>[]
  : { [K in keyof T]: Mapped<T[K], B, L> }

type MappedObject<T, Kind, B, L> = Kind extends "leaf"
  ? B
  : Kind extends "unknown"
    ? unknown
    : Kind extends "record"
      ? { [K in keyof T]: Mapped<Present<T, K>, B, L> }
      : { [K in keyof T]: K extends Fields<T> ? Mapped<Present<T, K>, B, L> : T[K] }

/** What lies in a tree of type `S` at the leaves of a tree of type `T`. */
export type Piece<T, S, L = never, D extends Level = 16> =
  IsAny<T> extends true
    ? unknown
    : unknown extends T | L
      ? unknown
      : [D] extends [never]
        ? never
        : IsAny<S> extends true
          ? S
          : PieceOf<T, S, L, Levels[D & number] & Level>

type PieceOf<T, S, L, D extends Level> = T extends L
  ? S
  : T extends null | undefined | void
    ? never
    : T extends ReadonlyArray<unknown>
      ? { [K in keyof T]: K extends keyof S ? Piece<T[K], S[K], L, D> : never }[number]
      : T extends Option.Option<infer A>
        ? S extends Option.Option<infer B>
          ? Piece<A, B, L, D>
          : never
        : T extends Chunk.Chunk<infer A>
          ? S extends Chunk.Chunk<infer B>
            ? Piece<A, B, L, D>
            : never
          : T extends Node
            ? unknown
            : PieceOfObject<T, KindOf<T>, S, L, D>

type PieceOfObject<T, Kind, S, L, D extends Level> = Kind extends "leaf"
  ? S
  : Kind extends "unknown"
    ? unknown
    : Kind extends "record"
      ? { [K in keyof T]-?: K extends keyof S ? Piece<T[K], S[K], L, D> : never }[keyof T]
      : { [K in Fields<T>]-?: K extends keyof S ? Piece<T[K], S[K], L, D> : never }[Fields<T>]

/**
 * The TypeScript type of what a schema lets through, for the few kinds of schemas that the API is made of.
 * typebox's own `Static` knows every kind that there is, and working it out was three quarters of what the
 * compiler did in the whole project. A kind that is not here is `never`, so that nobody uses it unchecked.
 */

type Plain = { String: string; Integer: number; Number: number; Boolean: boolean; Null: null };

type Optional<P> = { [K in keyof P]: P[K] extends { readonly '~optional': true } ? K : never }[keyof P];

type Properties<P> = { [K in Exclude<keyof P, Optional<P>>]: Shape<P[K]> } & { [K in Optional<P>]?: Shape<P[K]> };

/** Made plain, so that the editor shows the properties instead of how they came about. */
type Flat<T> = { [K in keyof T]: T[K] };

export type Shape<S> = S extends { readonly '~kind': infer K extends keyof Plain }
  ? Plain[K]
  : S extends { readonly '~kind': 'Enum'; readonly enum: readonly (infer V)[] }
    ? V
    : S extends { readonly '~kind': 'Union'; readonly anyOf: readonly (infer U)[] }
      ? Shape<U>
      : S extends { readonly '~kind': 'Array'; readonly items: infer I }
        ? Shape<I>[]
        : S extends { readonly '~kind': 'Object'; readonly properties: infer P }
          ? Flat<Properties<P>>
          : never;

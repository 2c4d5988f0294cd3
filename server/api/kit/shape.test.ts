import t from 'tap';
import { Type } from 'typebox';
import type { Shape } from './shape.ts';

type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;

const schema = Type.Object({
  text: Type.String(),
  count: Type.Optional(Type.Integer()),
  share: Type.Number(),
  flag: Type.Optional(Type.Boolean()),
  one: Type.Enum(['a', 'b']),
  maybe: Type.Union([Type.Object({ url: Type.String() }), Type.Null()]),
  names: Type.Array(Type.String()),
});
type Wanted = {
  text: string;
  share: number;
  one: 'a' | 'b';
  maybe: { url: string } | null;
  names: string[];
  count?: number;
  flag?: boolean;
};

t.test('a schema has the type that one would write by hand, and a kind that is not known has none', async (t) => {
  // The compiler is the judge: a wrong type does not assign `true`.
  const asWritten: Same<Shape<typeof schema>, Wanted> = true;
  const pattern = Type.Tuple([Type.String()]);
  const unknownKind: Same<Shape<typeof pattern>, never> = true;
  t.ok(asWritten && unknownKind);
});

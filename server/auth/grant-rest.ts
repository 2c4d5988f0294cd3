/** What few grants say, as it stands in their text: networks, rules, a device, a viewer whom others vouch for. */
import { Type } from 'typebox';
import { Compile } from 'typebox/compile';

/** The first rule that fits an address decides; where none does, the grant opens. */
export type AccessRule = {
  readonly action: 'allow' | 'block';
  /** Addresses and networks; none: it fits everybody. */
  readonly networks: readonly string[];
};

export type RareClaims = {
  /** Addresses and networks that it may be used from; none: all. */
  readonly networks: readonly string[];
  readonly rules: readonly AccessRule[];
  /** `deviceMark` of the player that it is bound to; null: any. */
  readonly device: string | null;
  /** Whose streams are counted, where it is not the account; null: the account’s. */
  readonly viewer: string | null;
};

const texts = Type.Array(Type.String());
const shape = Compile(
  Type.Object(
    {
      n: Type.Optional(texts),
      /** Allow (1) or block (0), and for whom. */
      r: Type.Optional(Type.Array(Type.Tuple([Type.Integer({ minimum: 0, maximum: 1 }), texts]))),
      d: Type.Optional(Type.String()),
      v: Type.Optional(Type.String()),
    },
    { additionalProperties: false },
  ),
);

const nothing: RareClaims = { networks: [], rules: [], device: null, viewer: null };

export const writeRest = ({ networks, rules, device, viewer }: RareClaims): Buffer => {
  const said = {
    ...(networks.length > 0 && { n: networks }),
    ...(rules.length > 0 && { r: rules.map(({ action, networks }) => [action === 'allow' ? 1 : 0, networks]) }),
    ...(device !== null && { d: device }),
    ...(viewer !== null && { v: viewer }),
  };
  if (Object.keys(said).length === 0) return Buffer.alloc(0);
  const bytes = Buffer.from(JSON.stringify(said));
  return Buffer.concat([bytes, Buffer.alloc((3 - (bytes.length % 3)) % 3, ' ')]);
};

/** Null: not of this shape. */
export const readRest = (bytes: Buffer): RareClaims | null => {
  if (bytes.length === 0) return nothing;
  const said = parsed(bytes);
  if (!shape.Check(said)) return null;
  return {
    networks: said.n ?? [],
    rules: (said.r ?? []).map(([action, networks]) => ({ action: action === 1 ? 'allow' : 'block', networks })),
    device: said.d ?? null,
    viewer: said.v ?? null,
  };
};

const parsed = (bytes: Buffer): unknown => {
  try {
    return JSON.parse(bytes.toString('utf8'));
  } catch {
    return null;
  }
};

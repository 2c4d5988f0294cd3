/**
 * Tokens (JWT, RFC 7519) of one foreign issuer, which says by them who may watch what. They are looked at once, when they
 * are exchanged for a grant of ours, and never below /play/. Issuer, audience and algorithms are what the configuration
 * says, and a token chooses none of them (RFC 8725, 3.1, 3.8, 3.9): only public-key algorithms are taken, so that no
 * public key can be passed off as a shared secret.
 */
import { decodeProtectedHeader, errors, jwtVerify, type JWTPayload } from 'jose';
import { Type } from 'typebox';
import { Compile } from 'typebox/compile';
import type { Clock } from '../../packager/clock.ts';
import { networkList } from '../networks.ts';
import type { ForeignRefusal } from './foreign-refusals.ts';
import { IssuerKeys, KeysUnavailable } from './issuer-keys.ts';

export type ForeignSettings = {
  readonly issuer: string;
  readonly audience: string;
  readonly algorithms: readonly string[];
  /** A file, or an https address. */
  readonly keys: string;
};

/** What the issuer vouches for. */
export type Vouched = {
  readonly viewer: string;
  readonly expiresAt: number;
  readonly maxHeight: number | null;
  readonly mayDownload: boolean;
  readonly streams: number | null;
  readonly networks: readonly string[];
};
export type Vouching = { readonly kind: 'vouched'; readonly by: Vouched } | { readonly kind: 'refused'; readonly code: ForeignRefusal } | { readonly kind: 'no-keys' };

const toleranceSeconds = 5;
/** A key id is a name: whatever looks like a path, a statement or a flood is none. */
const keyName = /^[A-Za-z0-9._~=+:-]{1,128}$/;
/** Headers by which a token would say where its own key is (RFC 7515, 4.1), or what must be understood to read it. */
const ownKeys = ['jku', 'jwk', 'x5u', 'x5c', 'crit'];

const said = Compile(
  Type.Object({
    sub: Type.String({ minLength: 1, maxLength: 64 }),
    exp: Type.Number(),
    video: Type.Union([Type.String(), Type.Array(Type.String(), { maxItems: 100 })]),
    maxHeight: Type.Optional(Type.Integer({ minimum: 1, maximum: 65_535 })),
    downloads: Type.Optional(Type.Boolean()),
    streams: Type.Optional(Type.Integer({ minimum: 1, maximum: 255 })),
    networks: Type.Optional(Type.Array(Type.String({ maxLength: 64 }), { maxItems: 8 })),
  }),
);

const refused = (code: ForeignRefusal): Vouching => ({ kind: 'refused', code });

export class ForeignTokens {
  readonly #settings: ForeignSettings;
  readonly #clock: Clock;
  readonly #keys: IssuerKeys;

  constructor(settings: ForeignSettings, clock: Clock, failed: (error: unknown) => void) {
    this.#settings = settings;
    this.#clock = clock;
    this.#keys = new IssuerKeys(settings.keys, clock, failed);
  }

  get issuer(): string {
    return this.#settings.issuer;
  }

  async read(token: string, video: string): Promise<Vouching> {
    const wrong = this.#wrongHeader(token);
    if (wrong) return refused(wrong);
    try {
      const { issuer, audience, algorithms } = this.#settings;
      const { payload } = await jwtVerify(token, this.#keys.find, {
        ...{ issuer, audience, algorithms: [...algorithms], clockTolerance: toleranceSeconds },
        requiredClaims: ['exp', 'sub'],
        currentDate: new Date(this.#clock.wall()),
      });
      return vouched(payload, video);
    } catch (error) {
      if (error instanceof KeysUnavailable) return { kind: 'no-keys' };
      const code = refusalOf(error);
      if (code) return refused(code);
      // What is left are keys that jose cannot import or will not use (RSA of 1024 bits): for a token they are none.
      this.#keys.unfit(error);
      return refused('jwt-key-unknown');
    }
  }

  #wrongHeader(token: string): ForeignRefusal | null {
    try {
      const header = decodeProtectedHeader(token);
      if (typeof header.alg !== 'string') return 'jwt-malformed';
      if (header.alg.toLowerCase() === 'none') return 'jwt-unsigned';
      if (!this.#settings.algorithms.includes(header.alg)) return 'jwt-algorithm';
      if (ownKeys.some((name) => Object.hasOwn(header, name))) return 'jwt-header';
      return header.kid === undefined || (typeof header.kid === 'string' && keyName.test(header.kid)) ? null : 'jwt-key-unknown';
    } catch {
      return 'jwt-malformed';
    }
  }
}

const vouched = (payload: JWTPayload, video: string): Vouching => {
  if (!said.Check(payload)) return refused('jwt-claims');
  const { sub, exp, video: videos, maxHeight, downloads, streams, networks } = payload;
  if (!areNetworks(networks ?? [])) return refused('jwt-claims');
  if (videos !== '*' && ![videos].flat().includes(video)) return refused('jwt-other-video');
  return {
    kind: 'vouched',
    by: { viewer: sub, expiresAt: Math.floor(exp) * 1000, maxHeight: maxHeight ?? null, mayDownload: downloads ?? false, streams: streams ?? null, networks: networks ?? [] },
  };
};

const areNetworks = (networks: readonly string[]): boolean => {
  try {
    networkList(networks);
    return true;
  } catch {
    return false;
  }
};

/** Null: the fault is not the token’s but the key’s. */
const refusalOf = (error: unknown): ForeignRefusal | null => {
  if (error instanceof errors.JWTExpired) return 'jwt-expired';
  if (error instanceof errors.JWTClaimValidationFailed) return ofClaim[error.claim] ?? 'jwt-claims';
  if (error instanceof errors.JWSSignatureVerificationFailed) return 'jwt-signature';
  if (error instanceof errors.JWKSNoMatchingKey || error instanceof errors.JWKSMultipleMatchingKeys) return 'jwt-key-unknown';
  if (error instanceof errors.JOSEAlgNotAllowed) return 'jwt-algorithm';
  return error instanceof errors.JWSInvalid || error instanceof errors.JWTInvalid ? 'jwt-malformed' : null;
};

const ofClaim: Readonly<Record<string, ForeignRefusal>> = { iss: 'jwt-issuer', aud: 'jwt-audience', nbf: 'jwt-not-yet' };

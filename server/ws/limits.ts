/** What one connection may cost. */
export type WebSocketLimits = {
  readonly connections: number;
  readonly perAddress: number;
  readonly messageBytes: number;
  readonly subscriptions: number;
  /** Messages from a client: this many at once, then this many a second. */
  readonly messages: { readonly burst: number; readonly perSecond: number };
  /** Bytes that wait for a slow client before it is sent away. */
  readonly sendBufferBytes: number;
  /** A ping this often; whoever does not answer before the next is gone. */
  readonly pingMs: number;
};

export const usualLimits: WebSocketLimits = {
  connections: 10_000,
  perAddress: 4_096,
  messageBytes: 4_096,
  subscriptions: 64,
  messages: { burst: 60, perSecond: 10 },
  sendBufferBytes: 1_048_576,
  pingMs: 30_000,
};

/** RFC 6455 7.4: why we close. */
export const closeCodes = { goingAway: 1001, policy: 1008, tooSlow: 1013 } as const;

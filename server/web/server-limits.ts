/** Slow heads are slow-loris; players and proxies keep connections for long; bodies have rules of their own (`body-time.ts`). */
export const serverLimits = {
  headersTimeout: 10_000,
  requestTimeout: 0,
  keepAliveTimeout: 65_000,
  connectionsCheckingInterval: 2_000,
  maxHeaderSize: 16_384,
  noDelay: true,
} as const;

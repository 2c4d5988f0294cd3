export type Browser = { readonly executable: string; readonly env: Readonly<Record<string, string>> };
export declare const findBrowser: () => Browser | undefined;
export declare const browser: { name: string; missing: () => string | undefined; make: () => Promise<void> };

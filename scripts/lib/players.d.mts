type Program = { readonly name: string; missing: () => string | undefined; make: (why: string) => Promise<void> };
type Player = Program & { readonly optional: boolean };
export declare const vlc: Player;
export declare const gstreamer: Player;
export declare const srtTools: Player;
export declare const openssl: Program;

type Player = { readonly name: string; readonly optional: boolean; missing: () => string | undefined; make: (why: string) => Promise<void> };
export declare const vlc: Player;
export declare const gstreamer: Player;
export declare const srtTools: Player;

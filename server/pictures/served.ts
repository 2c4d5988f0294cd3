/** Pictures and chapters of videos as they are asked for below /play/: what a video has stays in memory until an event says that it changed. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { asLogError } from '../../packager/log/faults.ts';
import { posterName, previewName, sheetName, storyboardName, ownPosterName, type PictureName } from '../../packager/pictures/names.ts';
import { isId } from '../catalog/ids.ts';
import type { VideoRow, VideoStore } from '../catalog/videos.ts';
import type { FoundPicture, PictureSource } from '../delivery/presentation.ts';
import type { EventDispatcher } from '../events/dispatcher.ts';
import { chaptersVtt, shownChapters } from './chapters.ts';
import { posterOf, shownPictures, type ShownPictures } from './kept.ts';
import { folderOfSet, picturesFolder, versionOf, type PictureSet } from './shelf.ts';

type Known = { readonly pictures: ShownPictures; readonly chapters: { readonly vtt: Buffer; readonly version: string } | null };

const mostKept = 5_000;
const jpeg = 'image/jpeg';
const vtt = 'text/vtt; charset=utf-8';

export class ServedPictures implements PictureSource {
  readonly #videos: Pick<VideoStore, 'get'>;
  readonly #folder: string;
  readonly #known = new Map<string, Known | null>();
  /** Counts up with every change heard: what was read before it must not be kept after it. */
  #changes = 0;

  /** `folder`: `<data>/videos`. */
  constructor(videos: Pick<VideoStore, 'get'>, events: Pick<EventDispatcher, 'subscribe'>, folder: string) {
    this.#videos = videos;
    this.#folder = folder;
    events.subscribe('video.', (event) => {
      if (!('videoId' in event)) return;
      this.#changes += 1;
      this.#known.delete(event.videoId);
    });
  }

  find(video: string, name: PictureName): FoundPicture | null | Promise<FoundPicture | null> {
    const known = this.#known.get(video);
    if (known !== undefined) return known && this.#found(video, known, name);
    if (!isId(video)) return null;
    return this.#read(video).then((read) => read && this.#found(video, read, name));
  }

  async #read(video: string): Promise<Known | null> {
    const before = this.#changes;
    const row = await this.#videos.get(video);
    const known = row && knownOf(row);
    if (before === this.#changes) {
      this.#known.set(video, known);
      const [oldest] = this.#known.size > mostKept ? this.#known.keys() : [];
      if (oldest !== undefined) this.#known.delete(oldest);
    }
    return known;
  }

  #found(video: string, { pictures, chapters }: Known, name: PictureName): FoundPicture | null {
    if (name.kind === 'chapters') return chapters && { type: vtt, version: chapters.version, height: null, read: async () => chapters.vtt };
    const { posters, storyboard, preview } = pictures;
    const file = (set: PictureSet, { version, height }: { readonly version: string; readonly height: number }, type: string, path: string, shown = version): FoundPicture => ({
      ...{ type, height, version: shown },
      read: () => this.#file(join(this.#folder, video, picturesFolder, folderOfSet(set, version), path)),
    });
    switch (name.kind) {
      case 'poster': {
        if (name.index !== null) return posters && name.index < posters.count ? file('posters', posters, jpeg, posterName(name.index)) : null;
        const poster = posterOf(pictures);
        if (poster?.of === 'own') return file('own', poster, jpeg, ownPosterName);
        return poster && posters && file('posters', posters, jpeg, posterName(poster.of), poster.version);
      }
      case 'storyboard':
        return storyboard && file('storyboard', storyboard, vtt, storyboardName);
      case 'sheet':
        return storyboard && name.index < storyboard.sheets ? file('storyboard', storyboard, jpeg, sheetName(name.index)) : null;
      case 'preview':
        return preview && file('preview', preview, 'image/webp', previewName);
    }
  }

  async #file(path: string): Promise<Buffer> {
    try {
      return await readFile(path);
    } catch (error) {
      throw asLogError(error, 'a picture of a video');
    }
  }
}

const knownOf = (row: VideoRow): Known => {
  const chapters = shownChapters(row);
  const text = chapters.length > 0 ? Buffer.from(chaptersVtt(chapters)) : null;
  return { pictures: shownPictures(row.pictures, row), chapters: text && { vtt: text, version: versionOf([text]) } };
};

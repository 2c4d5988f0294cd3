/** Grants of the pictures of a video that run out just when one of them is asked for, as they do on a page that stays open: the one that `late` names. A record that is asked for then has another. */
import type { Page } from 'playwright-core';

/** `asked`: how often the record was. */
export const turnHours = async (page: Page, id: string): Promise<{ late: string | null; asked: number }> => {
  let hour = 0;
  const clock = { late: null as string | null, asked: 0 };
  await page.route(new RegExp(`/api/v1/videos(/${id})?([?]|$)`), async (route) => {
    if (route.request().url().endsWith(id)) clock.asked += 1;
    const answer = await route.fetch();
    await route.fulfill({ response: answer, body: (await answer.text()).replaceAll(/\/play\/(?=[^"]+(poster|storyboard|preview))/g, `/play/hour-${hour}.`) });
  });
  await page.route(/\/play\/hour-/, (route) => {
    const url = route.request().url();
    if (clock.late !== null && url.includes(clock.late)) {
      clock.late = null;
      hour += 1;
    }
    const good = url.includes(`/hour-${hour}.`);
    return good ? route.continue({ url: url.replace(/hour-\d+\./, '') }) : route.fulfill({ status: 403, json: { code: 'grant-expired' } });
  });
  return clock;
};

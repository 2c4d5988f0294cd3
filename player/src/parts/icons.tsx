/** The few pictures that buttons carry. They say nothing by themselves: the button has the words. */
const shapes = {
  copy: 'M9 9h9.5v9.5H9zM5.5 15V5.5H15',
  check: 'M5 12.5l4.5 4.5L19 7.5',
  person: 'M12 12a4 4 0 1 0 0-8 4 4 0 0 0 0 8zm-7.5 8a7.5 7.5 0 0 1 15 0',
  sound: 'M4 9.5v5h3.5L12 18.5v-13L7.5 9.5zM15.5 9a4.5 4.5 0 0 1 0 6M18 6.5a8 8 0 0 1 0 11',
  plus: 'M12 5v14M5 12h14',
  open: 'M14 5h5v5M19 5l-8 8M17 14v5H5V7h5',
  back: 'M14.5 6l-6 6 6 6',
  stop: 'M8 8h8v8H8zM9 10h6M9 12h6M9 14h6',
  restart: 'M5 12a7 7 0 1 0 2.6-5.4M5 4v4h4',
  captions: 'M4 6h16v12H4zM10 10.5H7.5v3H10M16.5 10.5H14v3h2.5',
  download: 'M12 4v11M7 10.5l5 5 5-5M5 20h14',
  upload: 'M12 20V8M7 12.5l5-5 5 5M5 4h14',
  pen: 'M5 19l1-4L16.5 4.5l3 3L9 18zM14 7l3 3',
  bin: 'M5 7h14M9.5 7V4.5h5V7M7 7l1 12.5h8L17 7',
  search: 'M10.5 17a6.5 6.5 0 1 0 0-13 6.5 6.5 0 0 0 0 13zM15.5 15.5L20 20',
  lock: 'M6.5 11h11v8.5h-11zM9 11V8a3 3 0 0 1 6 0v3',
  link: 'M10 14a4 4 0 0 0 6 .4l3-3a4 4 0 0 0-5.7-5.7l-1 1M14 10a4 4 0 0 0-6-.4l-3 3a4 4 0 0 0 5.7 5.7l1-1',
  gear: 'M4 8h8m4 0h4M4 16h4m4 0h8M14 5.5v5M10 13.5v5',
} as const;

export const Icon = ({ name }: { name: keyof typeof shapes }) => (
  <svg
    class="icon"
    viewBox="0 0 24 24"
    fill="none"
    stroke="currentColor"
    stroke-width="2"
    stroke-linecap="round"
    stroke-linejoin="round"
    aria-hidden="true"
  >
    <path d={shapes[name]} />
  </svg>
);

/** Two mill arches over running water. */
export const Mark = () => (
  <svg viewBox="0 0 32 32" fill="none" stroke-linecap="round" aria-hidden="true">
    <path d="M5 18v-6a5.5 5.5 0 0 1 11 0v6m0-6a5.5 5.5 0 0 1 11 0v6" stroke="currentColor" stroke-width="3.2" />
    <path d="M3 25c3.2-2.6 5.4-2.6 8.6 0s5.4 2.6 8.6 0 5.4-2.6 8.8 0" stroke="var(--accent)" stroke-width="3" />
  </svg>
);

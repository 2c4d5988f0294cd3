/** The frame and the page in it. Renders again from here when address or language change. */
import { Header } from './header.tsx';
import { lazy } from './parts/lazy.tsx';
import { Toasts } from './parts/toasts.tsx';
import { HomePage } from './pages/home.tsx';
import { NotFoundPage } from './pages/not-found.tsx';
import { address } from './router.tsx';
import { routeOf } from './routes.ts';
import type { Route } from './routes.ts';
import { useStore } from './state/use.ts';
import { language } from './words/index.ts';

const ChannelPage = lazy(async () => (await import('./pages/channel.tsx')).ChannelPage);
const WatchPage = lazy(async () => (await import('./pages/watch/watch.tsx')).WatchPage);
const EmbedPage = lazy(async () => (await import('./pages/watch/embed.tsx')).EmbedPage);
const StudioPage = lazy(async () => (await import('./pages/studio/studio.tsx')).StudioPage);
const RoomPage = lazy(async () => (await import('./pages/studio/room.tsx')).RoomPage);
const VideosPage = lazy(async () => (await import('./pages/studio/videos/videos.tsx')).VideosPage);
const UploadPage = lazy(async () => (await import('./pages/studio/upload/upload.tsx')).UploadPage);
const SetupPage = lazy(async () => (await import('./pages/setup.tsx')).SetupPage);
const LoginPage = lazy(async () => (await import('./pages/login.tsx')).LoginPage);
const AdminPage = lazy(async () => (await import('./pages/admin/admin.tsx')).AdminPage);
const WorkPage = lazy(async () => (await import('./pages/admin/work/work.tsx')).WorkPage);

const pageOf = (route: Route) => {
  switch (route.page) {
    case 'home':
      return <HomePage />;
    case 'channel':
      return <ChannelPage key={route.name} name={route.name} />;
    case 'watch':
      return <WatchPage key={route.video} id={route.video} />;
    case 'embed':
      return <EmbedPage key={route.video} id={route.video} />;
    case 'studio':
      return <StudioPage />;
    case 'studio-channel':
      return <RoomPage key={route.id} id={route.id} />;
    case 'studio-videos':
      return <VideosPage />;
    case 'studio-upload':
      return <UploadPage />;
    case 'setup':
      return <SetupPage />;
    case 'login':
      return <LoginPage />;
    case 'admin':
      return <AdminPage />;
    case 'admin-work':
      return <WorkPage />;
    case 'not-found':
      return <NotFoundPage />;
  }
};

export const App = () => {
  useStore(language);
  const route = routeOf(useStore(address));
  return (
    <>
      {route.page !== 'embed' && <Header />}
      {pageOf(route)}
      <Toasts />
    </>
  );
};

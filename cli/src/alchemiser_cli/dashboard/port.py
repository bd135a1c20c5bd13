"""Where the dashboard is looked for. By itself: two commands name it in their help, before anything is served."""

DEFAULT_PORT = 8770

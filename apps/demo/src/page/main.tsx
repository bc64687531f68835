import { render } from "preact";
import { App } from "./app.tsx";
import { followCatalog } from "./feed/catalog-feed.ts";
import { followReports } from "./feed/report-feed.ts";
import { applyTheme } from "./feed/theme.ts";
import "./style/index.css";

applyTheme();
followReports();
followCatalog(null);

const place = document.getElementById("app");
if (place !== null) render(<App />, place);

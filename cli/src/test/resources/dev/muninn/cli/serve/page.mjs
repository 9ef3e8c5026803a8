// Uses the page as a person would, and prints what was seen as one JSON object.
// Arguments: the server's address, Chromium, a directory for pictures.
import { chromium } from "playwright-core";

const [address, browserPath, pictures] = process.argv.slice(2);

const browser = await chromium.launch({ executablePath: browserPath, args: ["--no-sandbox"] });
const visits = [];
try {
  for (const width of [1280, 400]) {
    for (const colorScheme of ["light", "dark"]) {
      visits.push(await visit(width, colorScheme));
    }
  }
} finally {
  await browser.close();
}
console.log(JSON.stringify({ visits }));

async function visit(width, colorScheme) {
  const context = await browser.newContext({ viewport: { width, height: 800 }, colorScheme });
  const page = await context.newPage();
  const errors = [];
  const otherHosts = [];
  const asked = [];
  page.on("console", message => {
    if (message.type() === "error" || message.type() === "warning") errors.push(message.text());
  });
  page.on("pageerror", error => errors.push(String(error)));
  page.on("request", request => {
    const url = new URL(request.url());
    if (url.protocol !== "data:" && url.origin !== new URL(address).origin) otherHosts.push(request.url());
  });

  // The same number of tokens whatever the model would say.
  let more = { ignore_eos: true, max_tokens: 40 };
  await page.route("**/v1/chat/completions", route => {
    const body = { ...route.request().postDataJSON(), ...more };
    asked.push(body);
    return route.continue({ postData: JSON.stringify(body) });
  });

  await page.goto(address);
  await page.waitForFunction(() => document.getElementById("about").textContent.includes("usually"));
  const about = await page.textContent("#about");

  // All by keyboard: the message has the focus, the choices are before it.
  await page.keyboard.type("47+8");
  await page.keyboard.press("Shift+Enter");
  await page.keyboard.press("Backspace");
  await page.keyboard.type("=");
  await page.keyboard.press("Shift+Tab");
  await page.keyboard.type("kl");
  await page.keyboard.press("Shift+Tab");
  await page.keyboard.press("ArrowRight");
  await page.keyboard.press("ArrowRight");
  const depth = await page.inputValue("#depth");
  const depthShown = await page.textContent("#depthShown");
  const exit = await page.inputValue("#exit");
  await page.evaluate(() => {
    window.growth = [];
    new MutationObserver(() => {
      const answer = document.querySelector(".answer");
      if (answer && document.getElementById("send").textContent === "Stop") {
        growth.push(answer.textContent.length);
      }
    }).observe(document.getElementById("log"), { childList: true, subtree: true });
  });
  // The small model answers faster than a browser draws: what it says comes through a slow network.
  const network = await context.newCDPSession(page);
  const conditions = { offline: false, latency: 0, uploadThroughput: -1 };
  await network.send("Network.emulateNetworkConditions", { ...conditions, downloadThroughput: 10_000 });
  await page.keyboard.press("Tab");
  await page.keyboard.press("Tab");
  await page.keyboard.press("Enter");
  await page.waitForSelector(".answer .note");
  await network.send("Network.emulateNetworkConditions", { ...conditions, downloadThroughput: -1 });
  const growth = await page.evaluate(() => growth);
  const answer = await page.$$eval(".answer span:not(.note)", spans => spans.map(span => span.textContent).join(""));
  const note = await page.textContent(".answer .note");
  const looks = await page.evaluate(look);
  const focused = await page.evaluate(() => document.activeElement.id);

  // A second turn, stopped by Escape.
  more = { ignore_eos: true, max_tokens: 100, recurrence: 256, exit: "none" };
  await page.keyboard.type("1".repeat(70) + "=");
  await page.keyboard.press("Enter");
  await page.waitForFunction(() => document.getElementById("send").textContent === "Stop");
  await page.keyboard.press("Escape");
  await page.waitForSelector(".answer:last-child .note");
  const stopped = await page.textContent(".answer:last-child .note");

  // What the server refuses is said, and the conversation goes on from before it.
  more = { recurrence: 0 };
  await page.keyboard.type("2+2=");
  await page.keyboard.press("Enter");
  await page.waitForSelector(".answer:last-child .note.bad");
  const refused = await page.textContent(".answer:last-child .note");
  const overflow = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
  await page.screenshot({ path: `${pictures}/page-${width}-${colorScheme}.png` });
  // The refusal is an error of the network to the browser.
  const unexpected = errors.filter(error => !error.includes("status of 400"));

  await page.focus("#send");
  await page.keyboard.press("Tab");
  await page.keyboard.press("Enter");
  const messagesLeft = await page.$$eval(".message", messages => messages.length);
  await context.close();
  return {
    width, colors: colorScheme, about, depth, depthShown, exit, growth, answer, note, focused, stopped, refused,
    overflow, errors: unexpected, otherHosts, asked, messagesLeft, ...looks,
  };
}

/* Runs in the page: how texts stand out, and whether shades differ. */
function look() {
  const parse = color => {
    const numbers = color.match(/[\d.]+/g).map(Number);
    return { rgb: numbers.slice(0, 3), alpha: numbers.length > 3 ? numbers[3] : 1 };
  };
  const behind = element => {
    let layers = [];
    for (let e = element; e; e = e.parentElement) layers.unshift(parse(getComputedStyle(e).backgroundColor));
    return layers.reduce(
      (under, { rgb, alpha }) => under.map((value, i) => alpha * rgb[i] + (1 - alpha) * value), [255, 255, 255]);
  };
  const luminance = rgb => {
    const [r, g, b] = rgb.map(value => {
      const c = value / 255;
      return c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4;
    });
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const contrast = (a, b) => {
    const [low, high] = [luminance(a), luminance(b)].sort((x, y) => x - y);
    return (high + 0.05) / (low + 0.05);
  };
  let least = 21;
  let faintest = "";
  for (const element of document.querySelectorAll("h1, #about, .message, .message span, label, select, button, textarea")) {
    const ratio = contrast(parse(getComputedStyle(element).color).rgb, behind(element));
    if (ratio < least) {
      least = ratio;
      faintest = element.outerHTML.slice(0, 120);
    }
  }
  const spans = [...document.querySelectorAll(".answer span:not(.note)")];
  return {
    contrast: least,
    faintest,
    shades: [...new Set(spans.map(span => span.title + " " + getComputedStyle(span).backgroundColor))],
  };
}

// A small player for every element of class "remogpt-player": reads its joints, adds a canvas and controls.
// Elements that appear later (a page that answers a request) are found by themselves. Needs player_body.js before it.
(() => {
  "use strict";
  if (window.RemogptPlayer) return;

  const SPEEDS = [0.25, 0.5, 1, 2];
  const PAUSE_AT_END = 0.5; // seconds the last pose stays before the motion starts again
  const NUM_JOINTS = 22;
  const ICONS = {
    play: '<svg viewBox="0 0 24 24" aria-hidden="true"><path d="M7 4.5v15l13-7.5z"/></svg>',
    pause: '<svg viewBox="0 0 24 24" aria-hidden="true"><path d="M6 4.5h4.2v15H6zM13.8 4.5H18v15h-4.2z"/></svg>',
    more: '<svg viewBox="0 0 24 24" aria-hidden="true"><path d="M4 10h4v4H4zM10 10h4v4h-4zM16 10h4v4h-4z"/></svg>',
  };
  const TOGGLES = [["loop", "play again at the end"], ["follow", "let the camera follow"], ["trail", "show the way"], ["feet", "show footprints"]];
  const STRIP = { poses: 8, width: 170, height: 300 }; // pixels of one pose of the exported picture
  const players = new Map();
  const still = window.matchMedia("(prefers-reduced-motion: reduce)").matches;

  /** Base64 of little-endian int16 in steps of `unit` millimetres → frames of 22 points in metres. */
  function readJoints(text, unit) {
    const bytes = Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
    const data = new DataView(bytes.buffer);
    const frames = [];
    for (let offset = 0; offset < bytes.length; ) {
      const joints = [];
      for (let joint = 0; joint < NUM_JOINTS; joint++, offset += 6) {
        joints.push([0, 2, 4].map((axis) => (data.getInt16(offset + axis, true) * unit) / 1000));
      }
      frames.push(joints);
    }
    return frames;
  }

  function readTheme(element) {
    const style = getComputedStyle(element);
    const numbers = (name) => (style.getPropertyValue(name).match(/[\d.]+/g) || [0, 0, 0]).map(Number);
    const theme = {};
    for (const name of ["left", "right", "trunk", "head", "ground", "line", "shadow", "path"]) theme[name] = numbers(`--rg-${name}`);
    theme.shade = numbers("--rg-shade")[0];
    theme.lineAlpha = numbers("--rg-line-alpha")[0];
    return theme;
  }

  /** A slow version of the pelvis' way over the floor, for the camera to follow. */
  function smoothWay(frames, radius) {
    return frames.map((_, index) => {
      let x = 0, z = 0, total = 0;
      for (let other = Math.max(0, index - radius); other <= Math.min(frames.length - 1, index + radius); other++) {
        const weight = radius + 1 - Math.abs(other - index);
        x += weight * frames[other][0][0];
        z += weight * frames[other][0][2];
        total += weight;
      }
      return [x / total, z / total];
    });
  }

  /** Where and when each foot stands: its ball is low and slow. */
  function footprints(frames, fps) {
    const prints = [];
    for (const [side, ankle, ball] of [["left", 7, 10], ["right", 8, 11]]) {
      const lowest = Math.min(...frames.map((joints) => joints[ball][1]));
      let run = null;
      frames.forEach((joints, frame) => {
        const [before, after] = [frames[Math.max(frame - 1, 0)][ball], frames[Math.min(frame + 1, frames.length - 1)][ball]];
        const speed = (Math.hypot(after[0] - before[0], after[2] - before[2]) * fps) / 2;
        if (joints[ball][1] > lowest + 0.06 || speed > 0.45) { run = null; return; }
        if (!run) {
          const [dx, dz] = [joints[ball][0] - joints[ankle][0], joints[ball][2] - joints[ankle][2]];
          run = { side, start: frame, angle: Math.atan2(dx, dz), x: joints[ball][0] - dx / 4, z: joints[ball][2] - dz / 4 };
          prints.push(run);
        }
        run.end = frame;
      });
    }
    return prints.filter(({ start, end }) => end - start >= 2);
  }

  class Player {
    constructor(element) {
      this.element = element;
      this.source = element.dataset.joints;
      this.shows = { loop: true, follow: true, trail: true, feet: true };
      this.fps = Number(element.dataset.fps);
      this.frames = readJoints(element.dataset.joints, Number(element.dataset.unit));
      this.steps = this.frames.map((joints) => [joints[0][0], joints[0][2]]);
      this.way = smoothWay(this.frames, Math.round(this.fps * 0.7));
      this.floor = Math.min(...this.frames.map((joints) => Math.min(...joints.map((joint) => joint[1])))) - 0.03;
      this.travels = this.steps.some(([x, z]) => Math.hypot(x - this.steps[0][0], z - this.steps[0][1]) > 0.3);
      this.top = Math.max(...this.frames.map((joints) => Math.max(...joints.map((joint) => joint[1])))) + 0.2;
      this.prints = footprints(this.frames, this.fps);
      this.duration = (this.frames.length - 1) / this.fps;
      this.time = 0;
      this.visible = true;
      this.playing = !still && element.dataset.autoplay !== "false";
      this.resetView();
      this.build();
      this.setSpeed(1);
      this.listen();
      this.refresh();
    }

    resetView() {
      const [left, right] = [this.frames[0][16], this.frames[0][17]];
      const heading = Math.atan2(-(left[2] - right[2]), left[0] - right[0]);
      this.yaw = heading + 0.6; // from the front, a little to the person's left
      this.pitch = 0.2;
      this.distance = 2.02 * Math.max(this.top - this.floor, 1.7); // the whole height, with a little air
      this.dirty = true;
    }

    build() {
      const stage = document.createElement("div");
      stage.className = "remogpt-stage";
      this.canvas = document.createElement("canvas");
      this.canvas.setAttribute("role", "img");
      const label = this.element.dataset.label || this.element.querySelector("figcaption")?.textContent || "motion";
      this.canvas.setAttribute("aria-label", label);
      this.element.setAttribute("role", "group");
      this.element.setAttribute("aria-label", `player: ${label}`);
      stage.append(this.canvas);
      const bar = document.createElement("div");
      bar.className = "remogpt-bar";
      this.toggleButton = Object.assign(document.createElement("button"), { type: "button", className: "remogpt-toggle" });
      this.slider = Object.assign(document.createElement("input"), {
        type: "range", min: 0, max: Math.max(this.frames.length - 1, 0), step: "any", value: 0,
      });
      this.slider.setAttribute("aria-label", "position");
      // No <output>: screen readers would read it aloud all the time.
      this.clock = Object.assign(document.createElement("span"), { className: "remogpt-clock" });
      this.speedButton = Object.assign(document.createElement("button"), { type: "button", className: "remogpt-speed", title: "speed" });
      this.moreButton = Object.assign(document.createElement("button"), { type: "button", className: "remogpt-more", innerHTML: ICONS.more });
      this.moreButton.setAttribute("aria-label", "more: loop, camera, picture, full screen");
      this.moreButton.setAttribute("aria-expanded", "false");
      bar.append(this.toggleButton, this.slider, this.clock, this.speedButton, this.moreButton);
      this.menu = this.buildMenu();
      this.element.prepend(stage, bar, this.menu);
      if (!this.element.hasAttribute("tabindex")) this.element.tabIndex = 0;
      this.ctx = this.canvas.getContext("2d");
      this.showState();
    }

    /** What is rarely needed: switches, a picture of the poses, full screen. */
    buildMenu() {
      const menu = Object.assign(document.createElement("div"), { className: "remogpt-bar remogpt-menu", hidden: true });
      for (const [name, title] of TOGGLES) {
        const button = Object.assign(document.createElement("button"), { type: "button", textContent: name, title });
        button.setAttribute("aria-pressed", "true");
        button.addEventListener("click", () => {
          this.shows[name] = !this.shows[name];
          button.setAttribute("aria-pressed", String(this.shows[name]));
          this.dirty = true;
        });
        menu.append(button);
      }
      for (const [name, title, act] of [
        ["strip", "save a picture of the poses", () => this.saveStrip()],
        ["full screen", "fill the screen, or leave it", () => this.fullScreen()],
      ]) {
        const button = Object.assign(document.createElement("button"), { type: "button", textContent: name, title });
        button.addEventListener("click", act);
        menu.append(button);
      }
      return menu;
    }

    /** Those that play in step with this one: all within one element of data-remogpt-together. */
    get peers() {
      const group = this.element.closest("[data-remogpt-together]");
      return group ? [...players.values()].filter((player) => group.contains(player.element)) : [this];
    }

    fullScreen() {
      if (document.fullscreenElement) document.exitFullscreen();
      else this.element.requestFullscreen?.();
    }

    /** Poses at equal distances in time, seen from where the camera stands, as one picture. */
    strip() {
      const { poses, width, height } = STRIP;
      const canvas = Object.assign(document.createElement("canvas"), { width: poses * width * 2, height: (height + 24) * 2 });
      const ctx = canvas.getContext("2d");
      const style = getComputedStyle(this.element);
      ctx.scale(2, 2);
      ctx.fillStyle = style.getPropertyValue("--rg-card");
      ctx.fillRect(0, 0, canvas.width, canvas.height);
      for (let number = 0; number < poses; number++) {
        const frame = (number / (poses - 1)) * (this.frames.length - 1), joints = this.pose(frame);
        const target = [joints[0][0], (this.floor + this.top) / 2, joints[0][2]];
        const view = RemogptBody.camera(target, this.yaw, this.pitch, this.distance * 0.6, width, height);
        ctx.save();
        ctx.translate(number * width, 0);
        RemogptBody.drawShadow(ctx, view, joints, this.floor, this.theme);
        RemogptBody.drawPerson(ctx, view, joints, this.theme);
        ctx.fillStyle = style.color;
        ctx.font = "13px system-ui, sans-serif";
        ctx.textAlign = "center";
        ctx.fillText(`${(frame / this.fps).toFixed(1)} s`, width / 2, height + 14);
        ctx.restore();
      }
      return canvas;
    }

    saveStrip() {
      const link = Object.assign(document.createElement("a"), { href: this.strip().toDataURL("image/png"), download: "motion_strip.png" });
      link.click();
    }

    listen() {
      this.toggleButton.addEventListener("click", () => this.toggle());
      this.slider.addEventListener("input", () => {
        for (const player of this.peers) { player.playing = false; player.seek(this.slider.value / this.fps); }
      });
      this.speedButton.addEventListener("click", () => {
        const speed = SPEEDS[(SPEEDS.indexOf(this.speed) + 1) % SPEEDS.length];
        for (const player of this.peers) player.setSpeed(speed);
      });
      this.moreButton.addEventListener("click", () => {
        this.menu.hidden = !this.menu.hidden;
        this.moreButton.setAttribute("aria-expanded", String(!this.menu.hidden));
      });
      this.element.addEventListener("keydown", (event) => this.onKey(event));
      this.canvas.addEventListener("dblclick", () => this.resetView());
      this.canvas.addEventListener("wheel", (event) => this.onWheel(event), { passive: false });
      const pointers = (this.pointers = new Map());
      this.canvas.addEventListener("pointerdown", (event) => {
        pointers.set(event.pointerId, event);
        this.canvas.setPointerCapture(event.pointerId);
        this.element.focus({ preventScroll: true });
      });
      this.canvas.addEventListener("pointermove", (event) => this.onDrag(event));
      for (const end of ["pointerup", "pointercancel"]) {
        this.canvas.addEventListener(end, (event) => pointers.delete(event.pointerId));
      }
      new ResizeObserver(() => this.refresh()).observe(this.canvas);
      new IntersectionObserver(([entry]) => { this.visible = entry.isIntersecting; }).observe(this.canvas);
      window.matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => this.refresh());
    }

    onKey(event) {
      if (event.ctrlKey || event.metaKey || event.altKey) return;
      const onButton = event.target instanceof HTMLButtonElement;
      const onSlider = event.target === this.slider;
      const act = {
        " ": onButton ? null : () => this.toggle(),
        ArrowLeft: onSlider ? null : () => this.step(-1),
        ArrowRight: onSlider ? null : () => this.step(1),
        Home: () => this.seek(0),
        End: () => this.seek(this.duration),
        "+": () => this.zoom(0.87),
        "=": () => this.zoom(0.87),
        "-": () => this.zoom(1.15),
        r: () => this.resetView(),
        f: () => this.fullScreen(),
      }[event.key];
      if (!act) return;
      event.preventDefault();
      act();
    }

    onWheel(event) {
      // A page of many players must still scroll: the wheel zooms only in a player that was clicked, or with ctrl.
      if (!event.ctrlKey && !this.element.matches(":focus-within")) return;
      event.preventDefault();
      this.zoom(Math.exp(event.deltaY * 0.0012));
    }

    onDrag(event) {
      const before = this.pointers.get(event.pointerId);
      if (!before) return;
      if (this.pointers.size === 1) {
        this.yaw -= (event.clientX - before.clientX) * 0.01;
        this.pitch = Math.min(Math.max(this.pitch + (event.clientY - before.clientY) * 0.008, -0.05), 1.5);
        this.dirty = true;
      } else {
        const other = [...this.pointers.values()].find((pointer) => pointer.pointerId !== event.pointerId);
        const spread = (pointer) => Math.hypot(pointer.clientX - other.clientX, pointer.clientY - other.clientY) || 1;
        this.zoom(spread(before) / spread(event));
      }
      this.pointers.set(event.pointerId, event);
    }

    zoom(factor) {
      this.distance = Math.min(Math.max(this.distance * factor, 1.2), 14);
      this.dirty = true;
    }

    toggle() {
      const playing = !this.playing, peers = this.peers;
      const time = playing && this.time >= Math.max(...peers.map((player) => player.duration)) ? 0 : this.time;
      for (const player of peers) {
        player.playing = playing;
        player.time = time;
        player.dirty = true;
        player.showState();
      }
    }

    setSpeed(speed) {
      this.speed = speed;
      this.speedButton.textContent = `${speed}×`;
      this.speedButton.setAttribute("aria-label", `speed ${speed}×`);
    }

    seek(time) {
      this.time = Math.min(Math.max(time, 0), this.duration);
      this.showState();
      this.dirty = true;
    }

    step(frames) {
      const time = (Math.round(Math.min(this.time, this.duration) * this.fps) + frames) / this.fps;
      for (const player of this.peers) { player.playing = false; player.seek(time); }
    }

    restart() {
      this.time = 0;
      this.playing = true;
      this.showState();
    }

    advance(seconds) {
      if (!this.playing) return;
      this.time += seconds * this.speed;
      const end = Math.max(...this.peers.map((player) => player.duration));
      if (this.time > end + PAUSE_AT_END && this.shows.loop) this.time = 0;
      else if (this.time >= end && !this.shows.loop) { this.time = end; this.playing = false; this.showState(); }
      this.dirty = true;
    }

    showState() {
      const icon = this.playing ? "pause" : "play";
      if (this.shown !== icon) {
        this.toggleButton.innerHTML = ICONS[icon];
        this.toggleButton.setAttribute("aria-label", icon);
        this.shown = icon;
      }
    }

    refresh() {
      this.theme = readTheme(this.element);
      const density = Math.min(window.devicePixelRatio || 1, 2);
      const { clientWidth, clientHeight } = this.canvas;
      this.canvas.width = Math.max(1, Math.round(clientWidth * density));
      this.canvas.height = Math.max(1, Math.round(clientHeight * density));
      this.density = density;
      this.draw();
    }

    /** Joints between two frames, so that 20 frames a second move smoothly on any screen. */
    pose(frame) {
      const before = Math.floor(frame), after = Math.min(before + 1, this.frames.length - 1), part = frame - before;
      return this.frames[before].map((joint, index) => joint.map((value, axis) => value + part * (this.frames[after][index][axis] - value)));
    }

    draw() {
      this.dirty = false;
      const time = Math.min(this.time, this.duration), frame = time * this.fps;
      const before = Math.floor(frame), after = Math.min(before + 1, this.way.length - 1), part = frame - before;
      const [x, z] = this.way[before].map((value, axis) => value + part * (this.way[after][axis] - value));
      const [tx, tz] = this.shows.follow ? [x, z] : this.way[0];
      const target = [tx, this.floor + 0.46 * (this.top - this.floor), tz];
      const { ctx, density, theme, floor } = this;
      const width = this.canvas.width / density, height = this.canvas.height / density;
      const view = RemogptBody.camera(target, this.yaw, this.pitch, this.distance, width, height);
      ctx.setTransform(density, 0, 0, density, 0, 0);
      ctx.clearRect(0, 0, width, height);
      const joints = this.pose(frame);
      RemogptBody.drawFloor(ctx, view, target, floor, theme);
      if (this.shows.feet) RemogptBody.drawPrints(ctx, view, this.prints, frame, floor, theme);
      if (this.travels && this.shows.trail) RemogptBody.drawPath(ctx, view, this.steps, frame, floor, theme);
      RemogptBody.drawShadow(ctx, view, joints, floor, theme);
      RemogptBody.drawPerson(ctx, view, joints, theme);
      this.slider.value = frame;
      const now = `${time.toFixed(1)} / ${this.duration.toFixed(1)} s`;
      if (this.clock.textContent === now) return;
      this.clock.textContent = now;
      this.slider.setAttribute("aria-valuetext", now.replace("/", "of"));
    }
  }

  function mountAll(root = document) {
    for (const element of root.querySelectorAll(".remogpt-player[data-joints]")) {
      const player = players.get(element);
      // A page that replaces what an element holds may keep the element itself.
      if (player && player.source === element.dataset.joints && element.contains(player.canvas)) continue;
      element.replaceChildren(...element.querySelectorAll(":scope > figcaption"));
      players.set(element, new Player(element));
    }
  }

  let last = 0;
  function tick(now) {
    const seconds = Math.min((now - last) / 1000, 0.1);
    last = now;
    for (const [element, player] of players) {
      if (!element.isConnected) { players.delete(element); continue; }
      player.advance(seconds); // hidden ones keep time, so that players stay in step
      if (player.visible && player.dirty) player.draw();
    }
    requestAnimationFrame(tick);
  }

  function begin() {
    mountAll();
    new MutationObserver(() => mountAll()).observe(document.documentElement, { childList: true, subtree: true });
    document.addEventListener("click", (event) => {
      if (event.target.closest?.("[data-remogpt-restart]")) for (const player of players.values()) player.restart();
      const seeker = event.target.closest?.("[data-remogpt-seek]");
      const found = seeker && players.get(document.getElementById(seeker.dataset.remogptSeek));
      if (found) { found.seek(Number(seeker.dataset.seconds)); found.playing = true; found.showState(); }
    });
    requestAnimationFrame(tick);
  }

  window.RemogptPlayer = { mountAll, players };
  document.readyState === "loading" ? document.addEventListener("DOMContentLoaded", begin) : begin();
})();

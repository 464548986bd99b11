// Draws a person, given as 22 joints, on a 2-D canvas: projection, solid limbs in depth order, floor, shadow, path,
// footprints.
// Metres, y up; a person who faces +z has the left side at +x. No state: everything arrives as an argument.
const RemogptBody = (() => {
  "use strict";

  // Two radii (metres) per limb: at its first joint and at its second.
  const LIMBS = [
    ["left", 1, 4, 0.082, 0.056], ["left", 4, 7, 0.055, 0.037], ["left", 7, 10, 0.042, 0.034],
    ["right", 2, 5, 0.082, 0.056], ["right", 5, 8, 0.055, 0.037], ["right", 8, 11, 0.042, 0.034],
    ["left", 16, 18, 0.05, 0.038], ["left", 18, 20, 0.038, 0.027],
    ["right", 17, 19, 0.05, 0.038], ["right", 19, 21, 0.038, 0.027],
  ];
  // Hands and heels are not captured: metres along the forearm (or foot), towards the thumb (or down), radius.
  const PALM = [[0.005, 0, 0.026], [0.085, 0.024, 0.02], [0.085, -0.024, 0.02], [0.16, 0.014, 0.013], [0.155, -0.016, 0.012]];
  const THUMB = [[0.03, 0.02, 0.016], [0.09, 0.056, 0.011]];
  const HEEL = 0.052; // metres from the ankle down and back to the heel
  const TOES = 0.06; // metres from the ball of the foot to the toes
  const CHEST = [[16, 0.052], [17, 0.052], [13, 0.07], [14, 0.07], [9, 0.105], [6, 0.1]];
  const BELLY = [[1, 0.082], [2, 0.082], [0, 0.1], [3, 0.098], [6, 0.098]];
  const NECK = [12, 15, 0.052, 0.047];
  const SUN = [0.28, 0.16]; // metres the shadow moves per metre of height

  const add = (a, b, s = 1) => [a[0] + s * b[0], a[1] + s * b[1], a[2] + s * b[2]];
  const sub = (a, b) => add(a, b, -1);
  const dot = (a, b) => a[0] * b[0] + a[1] * b[1] + a[2] * b[2];
  const cross = (a, b) => [a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0]];
  const unit = (a) => { const n = Math.hypot(...a) || 1; return [a[0] / n, a[1] / n, a[2] / n]; };
  const middle = (a, b) => [(a[0] + b[0]) / 2, (a[1] + b[1]) / 2, (a[2] + b[2]) / 2];

  /** A camera that looks at `target` from `distance` metres; yaw 0 stands on +z, pitch looks down. Angles in radians. */
  function camera(target, yaw, pitch, distance, width, height) {
    const back = [Math.sin(yaw) * Math.cos(pitch), Math.sin(pitch), Math.cos(yaw) * Math.cos(pitch)];
    const right = [Math.cos(yaw), 0, -Math.sin(yaw)];
    const up = cross(back, right);
    const focal = 1.75 * Math.min(height, 1.15 * width);
    return {
      right, back, width, height,
      project(point) {
        const from = sub(point, target);
        const depth = distance - dot(from, back);
        const scale = focal / Math.max(depth, 0.05);
        return { x: width / 2 + dot(from, right) * scale, y: height / 2 - dot(from, up) * scale, depth, scale };
      },
    };
  }

  const mix = (a, b, t) => a.map((value, index) => Math.round(value + (b[index] - value) * t));
  const css = (rgb, alpha = 1) => `rgba(${rgb[0]},${rgb[1]},${rgb[2]},${alpha})`;

  function capsule(path, a, b, ra, rb) {
    const distance = Math.hypot(b.x - a.x, b.y - a.y);
    if (distance <= Math.abs(ra - rb) + 0.01) { // seen along its axis
      const [centre, radius] = ra > rb ? [a, ra] : [b, rb];
      path.moveTo(centre.x + radius, centre.y);
      path.arc(centre.x, centre.y, radius, 0, 2 * Math.PI);
      return;
    }
    const along = Math.atan2(b.y - a.y, b.x - a.x);
    const side = Math.acos((ra - rb) / distance);
    path.moveTo(a.x + ra * Math.cos(along + side), a.y + ra * Math.sin(along + side));
    path.arc(a.x, a.y, ra, along + side, along - side + 2 * Math.PI);
    path.arc(b.x, b.y, rb, along - side, along + side);
    path.closePath();
  }

  /** The outline of discs under a tight skin: their convex hull. */
  function skin(path, discs) {
    const points = [];
    for (const { x, y, r } of discs) {
      for (let step = 0; step < 14; step++) {
        points.push([x + r * Math.cos((step * Math.PI) / 7), y + r * Math.sin((step * Math.PI) / 7)]);
      }
    }
    points.sort((p, q) => p[0] - q[0] || p[1] - q[1]);
    const half = (list) => {
      const chain = [];
      for (const p of list) {
        while (chain.length > 1) {
          const [a, b] = chain.slice(-2);
          if ((b[0] - a[0]) * (p[1] - a[1]) - (b[1] - a[1]) * (p[0] - a[0]) > 0) break;
          chain.pop();
        }
        chain.push(p);
      }
      return chain.slice(0, -1);
    };
    const hull = [...half(points), ...half(points.reverse())];
    hull.forEach(([x, y], index) => (index ? path.lineTo(x, y) : path.moveTo(x, y)));
    path.closePath();
  }

  /** Light from the upper left across a limb, as on a cylinder. */
  function roundness(ctx, a, b, radius, colour) {
    const length = Math.hypot(b.x - a.x, b.y - a.y);
    let nx = -0.6, ny = -0.8; // a limb seen along its axis has no side
    if (length > 0.5) { nx = -(b.y - a.y) / length; ny = (b.x - a.x) / length; }
    if (nx * -0.6 + ny * -0.8 < 0) { nx = -nx; ny = -ny; }
    const x = (a.x + b.x) / 2, y = (a.y + b.y) / 2;
    const gradient = ctx.createLinearGradient(x + nx * radius, y + ny * radius, x - nx * radius, y - ny * radius);
    gradient.addColorStop(0, css(mix(colour, [255, 255, 255], 0.3)));
    gradient.addColorStop(0.45, css(colour));
    gradient.addColorStop(1, css(mix(colour, [15, 20, 35], 0.32)));
    return gradient;
  }

  /** Add what is not captured: skull, nose, hands, toes. */
  function complete(joints) {
    const rise = unit(add(unit(sub(joints[15], joints[12])), unit(sub(joints[12], joints[9]))));
    const face = unit(cross(sub(joints[16], joints[17]), rise));
    const ball = add(add(joints[15], rise, 0.055), face, 0.012);
    return {
      chin: add(ball, rise, -0.035), crown: add(ball, rise, 0.036), nose: add(add(ball, face, 0.1), rise, -0.022), face,
    };
  }

  /** A mitten and a thumb; palms are turned to the body, thumbs forward, since the wrist's turn is not captured. */
  function hand(joints, side, elbow, wrist, face) {
    const along = unit(sub(joints[wrist], joints[elbow]));
    const thumb = unit(add(face, along, -dot(face, along)));
    const at = ([far, aside, radius]) => [add(add(joints[wrist], along, far), thumb, aside), radius];
    return [{ side, tone: 0.42, discs: PALM.map(at) }, { side, tone: 0.42, discs: THUMB.map(at) }];
  }

  /** A shoe: heel, ankle, ball and toes under one skin. */
  function foot(joints, side, knee, ankle, ball) {
    const down = unit(sub(joints[ankle], joints[knee]));
    const along = unit(sub(joints[ball], joints[ankle]));
    const forward = unit(add(along, down, -dot(along, down)));
    const heel = add(add(joints[ankle], down, HEEL), forward, -0.75 * HEEL);
    const toes = add(joints[ball], unit(sub(joints[ball], heel)), TOES);
    const discs = [[heel, 0.036], [joints[ankle], 0.04], [joints[ball], 0.037], [toes, 0.025]];
    return { side, tone: -0.34, discs };
  }

  function solids(joints, extra) {
    const list = LIMBS.map(([side, from, to, ra, rb]) => ({ side, a: joints[from], b: joints[to], ra, rb }));
    list.push({ side: "head", a: extra.chin, b: extra.crown, ra: 0.078, rb: 0.094 });
    list.push({ side: "head", a: extra.nose, b: extra.nose, ra: 0.022, rb: 0.022 });
    return list;
  }

  function handsAndFeet(joints, extra) {
    return [
      ...hand(joints, "left", 18, 20, extra.face), ...hand(joints, "right", 19, 21, extra.face),
      foot(joints, "left", 4, 7, 10), foot(joints, "right", 5, 8, 11),
    ];
  }

  function drawPerson(ctx, view, joints, theme) {
    const extra = complete(joints);
    const parts = solids(joints, extra).map((solid) => {
      const a = view.project(solid.a), b = view.project(solid.b);
      const path = new Path2D();
      capsule(path, a, b, solid.ra * a.scale, solid.rb * b.scale);
      return { path, a, b, radius: Math.max(solid.ra * a.scale, solid.rb * b.scale), side: solid.side, depth: (a.depth + b.depth) / 2 };
    });
    const flat = ([point, radius]) => { const p = view.project(point); return { x: p.x, y: p.y, r: radius * p.scale, depth: p.depth }; };
    const disc = ([joint, radius]) => flat([joints[joint], radius]);
    for (const { side, tone, discs } of handsAndFeet(joints, extra)) {
      const path = new Path2D(), shown = discs.map(flat), [a, b] = [shown[0], shown[shown.length - 1]];
      skin(path, shown);
      parts.push({ path, a, b, radius: 1.3 * Math.max(...shown.map(({ r }) => r)), side, tone, depth: (a.depth + b.depth) / 2 });
    }
    const trunk = new Path2D();
    skin(trunk, CHEST.map(disc));
    skin(trunk, BELLY.map(disc));
    const nape = view.project(joints[NECK[0]]), jaw = view.project(joints[NECK[1]]);
    capsule(trunk, nape, jaw, NECK[2] * nape.scale, NECK[3] * jaw.scale);
    const a = view.project(middle(joints[16], joints[17])), b = view.project(joints[0]);
    const core = view.project(joints[6]);
    parts.push({ path: trunk, a, b, radius: 0.22 * core.scale, side: "trunk", depth: core.depth });

    parts.sort((p, q) => q.depth - p.depth);
    ctx.lineJoin = "round";
    for (const part of parts) {
      const far = Math.min(Math.max((part.depth - core.depth) / 0.9, -0.2), 0.5);
      const own = part.tone ? mix(theme[part.side], part.tone > 0 ? [255, 255, 255] : [10, 14, 26], Math.abs(part.tone)) : theme[part.side];
      const colour = mix(own, far > 0 ? theme.ground : [255, 255, 255], Math.abs(far) * 0.55);
      ctx.strokeStyle = css(mix(colour, [10, 14, 26], 0.55), 0.55);
      ctx.lineWidth = Math.max(0.0085 * core.scale, 1);
      ctx.stroke(part.path); // under the fill, so that only the outer half of the line is seen
      ctx.fillStyle = roundness(ctx, part.a, part.b, part.radius, colour);
      ctx.fill(part.path);
    }
  }

  function drawShadow(ctx, view, joints, floor, theme) {
    const path = new Path2D();
    const drop = (p) => [p[0] + SUN[0] * (p[1] - floor), p[2] + SUN[1] * (p[1] - floor)];
    const blob = (from, to, radius) => { // a capsule that lies on the floor, always wound the same way
      const [ax, az] = drop(from), [bx, bz] = drop(to);
      const along = Math.atan2(bz - az, bx - ax);
      for (let step = 0; step < 12; step++) {
        const angle = along + Math.PI / 2 + (step / 11) * 2 * Math.PI;
        const [x, z] = step < 6 ? [ax, az] : [bx, bz];
        const p = view.project([x + radius * Math.cos(angle), floor, z + radius * Math.sin(angle)]);
        step ? path.lineTo(p.x, p.y) : path.moveTo(p.x, p.y);
      }
      path.closePath();
    };
    const extra = complete(joints);
    for (const { a, b, ra, rb } of solids(joints, extra)) blob(a, b, (ra + rb) / 2);
    for (const { discs } of handsAndFeet(joints, extra)) blob(discs[0][0], discs[discs.length - 1][0], discs[1][1]);
    for (const [from, to, radius] of [[16, 17, 0.07], [9, 0, 0.12], [1, 2, 0.085], [16, 1, 0.07], [17, 2, 0.07]]) {
      blob(joints[from], joints[to], radius);
    }
    ctx.fillStyle = css(theme.shadow, theme.shade);
    ctx.fill(path);
  }

  function drawFloor(ctx, view, centre, floor, theme) {
    const reach = 5, rings = 5;
    const strokes = Array.from({ length: rings }, () => new Path2D());
    const cx = Math.round(centre[0]), cz = Math.round(centre[2]);
    const line = (x0, z0, x1, z1) => {
      const away = Math.hypot((x0 + x1) / 2 - centre[0], (z0 + z1) / 2 - centre[2]);
      const ring = Math.floor((away / reach) * rings);
      if (ring >= rings) return;
      const p = view.project([x0, floor, z0]), q = view.project([x1, floor, z1]);
      if (p.depth < 0.3 || q.depth < 0.3) return;
      strokes[ring].moveTo(p.x, p.y);
      strokes[ring].lineTo(q.x, q.y);
    };
    for (let i = -reach; i <= reach; i++) {
      for (let k = -reach * 2; k < reach * 2; k++) {
        line(cx + i, cz + k / 2, cx + i, cz + (k + 1) / 2);
        line(cx + k / 2, cz + i, cx + (k + 1) / 2, cz + i);
      }
    }
    ctx.lineWidth = 1;
    strokes.forEach((stroke, ring) => {
      ctx.strokeStyle = css(theme.line, theme.lineAlpha * (1 - ring / rings));
      ctx.stroke(stroke);
    });
  }

  /** The way of the pelvis on the floor: what is past in full, what comes faint. */
  function drawPath(ctx, view, steps, frame, floor, theme) {
    for (const [from, to, alpha] of [[0, frame, 0.75], [frame, steps.length - 1, 0.22]]) {
      ctx.beginPath();
      let open = false;
      for (let index = Math.floor(from); index <= Math.ceil(to); index++) {
        const p = view.project([steps[index][0], floor, steps[index][1]]);
        if (p.depth < 0.3) { open = false; continue; }
        open ? ctx.lineTo(p.x, p.y) : ctx.moveTo(p.x, p.y);
        open = true;
      }
      ctx.strokeStyle = css(theme.path, alpha);
      ctx.lineWidth = 2;
      ctx.stroke();
    }
  }

  /** Footprints: where a foot stands in its side's colour, where it stood or will stand paler. */
  function drawPrints(ctx, view, prints, frame, floor, theme) {
    for (const { side, start, end, x, z, angle } of prints) {
      const path = new Path2D();
      for (let step = 0; step < 20; step++) {
        const turn = (step / 20) * 2 * Math.PI, far = 0.135 * Math.cos(turn);
        const aside = (0.052 + 0.012 * Math.cos(turn)) * Math.sin(turn); // wider at the ball than at the heel
        const px = x + far * Math.sin(angle) + aside * Math.cos(angle), pz = z + far * Math.cos(angle) - aside * Math.sin(angle);
        const p = view.project([px, floor, pz]);
        if (p.depth < 0.3) return;
        step ? path.lineTo(p.x, p.y) : path.moveTo(p.x, p.y);
      }
      path.closePath();
      const stands = frame >= start && frame <= end;
      ctx.fillStyle = css(theme[side], stands ? 0.6 : frame > end ? 0.22 : 0.07);
      ctx.fill(path);
      ctx.lineWidth = stands ? 2 : 1;
      ctx.strokeStyle = css(theme[side], stands ? 0.95 : 0.3);
      if (stands || frame > end) ctx.stroke(path);
    }
  }

  return { camera, drawFloor, drawPath, drawPrints, drawPerson, drawShadow };
})();

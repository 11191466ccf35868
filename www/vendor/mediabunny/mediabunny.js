/*!
 * Copyright (c) 2026-present, Vanilagy and contributors
 *
 * This Source Code Form is subject to the terms of the Mozilla Public
 * License, v. 2.0. If a copy of the MPL was not distributed with this
 * file, You can obtain one at https://mozilla.org/MPL/2.0/.
 */ function f(t) {
  if (!t) throw new Error('Assertion failed.');
}
var Fn = Math.PI / 180,
  It = 180 / Math.PI,
  ut = (t) => {
    let e = ((t % 360) + 360) % 360;
    if (e === 0 || e === 90 || e === 180 || e === 270) return e;
    throw new Error(`Invalid rotation ${t}.`);
  },
  dr = [1, 0, 0, 0, 1, 0, 0, 0, 1],
  qr = (t, e, r) => {
    let [i, n, , s, o] = t,
      a = Math.abs(i) * e + Math.abs(s) * r,
      c = Math.abs(n) * e + Math.abs(o) * r;
    return qe(qe(Hr(-e / 2, -r / 2), t), Hr(a / 2, c / 2));
  },
  Lr = (t) => {
    let [e, r] = t,
      i = Math.atan2(r, On(t) ? -e : e);
    return ut(Mt(i * It, 90));
  },
  On = (t) => {
    let [e, r, , i, n] = t;
    return e * n - r * i < 0;
  },
  Rt = (t) => {
    let e = t * Fn,
      r = Math.round(Math.cos(e)),
      i = Math.round(Math.sin(e));
    return [r, i, 0, -i, r, 0, 0, 0, 1];
  },
  Hr = (t, e) => [1, 0, 0, 0, 1, 0, t, e, 1],
  jr = (t, e) => [t, 0, 0, 0, e, 0, 0, 0, 1],
  qe = (t, e) => {
    let r = new Array(9);
    for (let i = 0; i < 3; i++)
      for (let n = 0; n < 3; n++) r[3 * i + n] = t[3 * i] * e[n] + t[3 * i + 1] * e[3 + n] + t[3 * i + 2] * e[6 + n];
    return r;
  },
  Qr = (t, e, r, i) => ({ rotation: ut(t + (e ? -r : r)), flip: e !== i }),
  z = (t) => t && t[t.length - 1],
  ae = (t) => t >= 0 && t < 2 ** 32,
  $r = (t) => t >= -(2 ** 31) && t < 2 ** 31,
  A = (t) => {
    let e = 0;
    for (; t.readBits(1) === 0 && e < 32;) e++;
    if (e >= 32) throw new Error('Invalid exponential-Golomb code.');
    return (1 << e) - 1 + t.readBits(e);
  };
var ce = (t) => {
    let e = A(t);
    return (e & 1) === 0 ? -(e >> 1) : (e + 1) >> 1;
  },
  Gr = (t, e, r, i) => {
    for (let n = e; n < r; n++) {
      let s = Math.floor(n / 8),
        o = t[s],
        a = 7 - (n & 7);
      ((o &= ~(1 << a)), (o |= ((i & (1 << (r - n - 1))) >> (r - n - 1)) << a), (t[s] = o));
    }
  },
  F = (t) =>
    t.constructor === Uint8Array
      ? t
      : ArrayBuffer.isView(t)
        ? new Uint8Array(t.buffer, t.byteOffset, t.byteLength)
        : new Uint8Array(t),
  Se = (t) =>
    t.constructor === DataView
      ? t
      : ArrayBuffer.isView(t)
        ? new DataView(t.buffer, t.byteOffset, t.byteLength)
        : new DataView(t),
  Mn =
    typeof globalThis.TextEncoder < 'u'
      ? globalThis.TextEncoder
      : class {
          constructor() {
            this.encoding = 'utf-8';
          }
          encode(e = '') {
            let r = new Uint8Array(3 * e.length),
              i = 0;
            for (let n = 0; n < e.length; n++) {
              let s = e.charCodeAt(n);
              if (s < 128) r[i++] = s;
              else if (s < 2048) ((r[i++] = 192 | (s >> 6)), (r[i++] = 128 | (s & 63)));
              else if (s < 55296 || s > 57343)
                ((r[i++] = 224 | (s >> 12)), (r[i++] = 128 | ((s >> 6) & 63)), (r[i++] = 128 | (s & 63)));
              else {
                let o = n + 1 < e.length ? e.charCodeAt(n + 1) : 0;
                s < 56320 && o >= 56320 && o <= 57343
                  ? ((s = 65536 + ((s - 55296) << 10) + (o - 56320)),
                    n++,
                    (r[i++] = 240 | (s >> 18)),
                    (r[i++] = 128 | ((s >> 12) & 63)),
                    (r[i++] = 128 | ((s >> 6) & 63)),
                    (r[i++] = 128 | (s & 63)))
                  : ((r[i++] = 239), (r[i++] = 191), (r[i++] = 189));
              }
            }
            return r.slice(0, i);
          }
        },
  Zo =
    typeof globalThis.TextDecoder < 'u'
      ? globalThis.TextDecoder
      : class {
          constructor(e = 'utf-8') {
            let r = e.trim().toLowerCase();
            if (r === 'utf-8' || r === 'utf8' || r === 'unicode-1-1-utf-8') this.encoding = 'utf-8';
            else if (r === 'utf-16le' || r === 'utf-16') this.encoding = 'utf-16le';
            else if (r === 'utf-16be') this.encoding = 'utf-16be';
            else throw new RangeError(`The encoding label provided ('${e}') is invalid.`);
          }
          decode(e) {
            let r = e ? F(e) : new Uint8Array(0),
              i = [];
            if (this.encoding === 'utf-8') {
              let s = r.length >= 3 && r[0] === 239 && r[1] === 187 && r[2] === 191 ? 3 : 0;
              for (; s < r.length;) {
                let o = r[s];
                if (o < 128) {
                  (i.push(o), s++);
                  continue;
                }
                let a, c;
                if (o >= 194 && o < 224) ((a = 1), (c = o & 31));
                else if (o >= 224 && o < 240) ((a = 2), (c = o & 15));
                else if (o >= 240 && o < 245) ((a = 3), (c = o & 7));
                else {
                  (i.push(65533), s++);
                  continue;
                }
                let l = o === 224 ? 160 : o === 240 ? 144 : 128,
                  d = o === 237 ? 159 : o === 244 ? 143 : 191,
                  u = 1;
                for (; u <= a; u++) {
                  let h = s + u < r.length ? r[s + u] : 0;
                  if (h < l || h > d) break;
                  ((c = (c << 6) | (h & 63)), (l = 128), (d = 191));
                }
                ((s += u),
                  u <= a
                    ? i.push(65533)
                    : c >= 65536
                      ? ((c -= 65536), i.push(55296 | (c >> 10), 56320 | (c & 1023)))
                      : i.push(c));
              }
            } else {
              let s = this.encoding === 'utf-16le',
                o = s ? 255 : 254,
                a = s ? 254 : 255,
                c = r.length >= 2 && r[0] === o && r[1] === a ? 2 : 0;
              for (; c + 1 < r.length;) {
                let l = s ? r[c] | (r[c + 1] << 8) : (r[c] << 8) | r[c + 1];
                if (((c += 2), l >= 55296 && l <= 56319)) {
                  let d = c + 1 < r.length ? (s ? r[c] | (r[c + 1] << 8) : (r[c] << 8) | r[c + 1]) : -1;
                  d >= 56320 && d <= 57343 ? (i.push(l, d), (c += 2)) : i.push(65533);
                } else l >= 56320 && l <= 57343 ? i.push(65533) : i.push(l);
              }
              c < r.length && i.push(65533);
            }
            let n = '';
            for (let s = 0; s < i.length; s += 8192) n += String.fromCharCode(...i.slice(s, s + 8192));
            return n;
          }
        };
var O = new Mn();
var we = { bt709: 1, bt470bg: 5, smpte170m: 6, bt2020: 9, smpte432: 12 };
var Ae = { bt709: 1, smpte170m: 6, linear: 8, 'iec61966-2-1': 13, pq: 16, hlg: 18 };
var ye = { rgb: 0, bt709: 1, bt470bg: 5, smpte170m: 6, 'bt2020-ncl': 9 };
var Ft = (t) => !t || (t.primaries == null && t.transfer == null && t.matrix == null && t.fullRange == null);
var ft = (t) =>
    t instanceof ArrayBuffer ||
    (typeof SharedArrayBuffer < 'u' && t instanceof SharedArrayBuffer) ||
    ArrayBuffer.isView(t),
  Le = class {
    constructor() {
      ((this.currentPromise = Promise.resolve()), (this.pending = 0));
    }
    async acquire() {
      let e,
        r = new Promise((n) => {
          let s = !1;
          e = () => {
            s || (n(), this.pending--, (s = !0));
          };
        }),
        i = this.currentPromise;
      return ((this.currentPromise = r), this.pending++, await i, e);
    }
  };
var ur = (t, e, r) => {
  let i = 0,
    n = t.length - 1,
    s = -1;
  for (; i <= n;) {
    let o = (i + (n - i + 1) / 2) | 0;
    r(t[o]) <= e ? ((s = o), (i = o + 1)) : (n = o - 1);
  }
  return s;
};
var je = () => {
  let t, e;
  return {
    promise: new Promise((i, n) => {
      ((t = i), (e = n));
    }),
    resolve: t,
    reject: e,
  };
};
var D = (t) => {
    throw new Error(`Unexpected value: ${t}`);
  },
  fr = (t, e, r) => {
    let i = t.getUint8(e),
      n = t.getUint8(e + 1),
      s = t.getUint8(e + 2);
    return r ? i | (n << 8) | (s << 16) : (i << 16) | (n << 8) | s;
  };
var hr = (t, e, r, i) => {
  ((r = r >>> 0),
    (r = r & 16777215),
    i
      ? (t.setUint8(e, r & 255), t.setUint8(e + 1, (r >>> 8) & 255), t.setUint8(e + 2, (r >>> 16) & 255))
      : (t.setUint8(e, (r >>> 16) & 255), t.setUint8(e + 1, (r >>> 8) & 255), t.setUint8(e + 2, r & 255)));
};
var Qe = (t, e, r) => Math.max(e, Math.min(r, t)),
  Kr = (t, e, r) => t + (e - t) * r;
var Ot = 'und';
var Mt = (t, e) => Math.round(t / e) * e,
  Vt = (t, e) => Math.round(t * e) / e;
var mr = (t, e) => Math.floor(t * e) / e;
var Xr = (t) => {
    let e = 0;
    for (; t !== 0;) ((t &= t - 1), e++);
    return e;
  },
  Vn = /^[a-z]{3}$/,
  Yr = (t) => Vn.test(t),
  Ee = 1e6 * (1 + Number.EPSILON);
var Zr = (t, e) => {
    let r = t < 0 ? -1 : 1;
    t = Math.abs(t);
    let i = 0,
      n = 1,
      s = 1,
      o = 0,
      a = t;
    for (;;) {
      let c = Math.floor(a),
        l = c * s + i,
        d = c * o + n;
      if (d > e) return { num: r * s, den: o };
      if (((i = s), (n = o), (s = l), (o = d), (a = 1 / (a - c)), !isFinite(a))) break;
    }
    return { num: r * s, den: o };
  },
  Pt = class {
    constructor() {
      this.currentPromise = Promise.resolve();
    }
    call(e) {
      return (this.currentPromise = this.currentPromise.then(e));
    }
  };
var cr = null,
  Ut = () => (cr !== null ? cr : (cr = typeof navigator < 'u' && navigator.userAgent?.includes('Firefox'))),
  lr = null,
  Jr = () =>
    lr !== null
      ? lr
      : (lr = !!(
          typeof navigator < 'u' &&
          (navigator.vendor?.includes('Google Inc') || /Chrome/.test(navigator.userAgent))
        ));
var ei = (t) =>
    typeof globalThis.isSecureContext < 'u' && !globalThis.isSecureContext
      ? `${t} is not available in this environment; this may be because this page is running in an insecure context. Try serving your page over HTTPS or use localhost.`
      : `${t} is not available in this environment.`,
  ti = (t) => t instanceof DOMException && t.name === 'QuotaExceededError' && /reclaimed/i.test(t.message),
  Un = (async () => {})().constructor,
  Q = (t) => (t instanceof Un || t instanceof Promise ? !0 : typeof t?.then == 'function');
var $e = function* (t) {
    for (let e in t) {
      let r = t[e];
      r !== void 0 && (yield { key: e, value: r });
    }
  },
  ri = (t) => {
    switch (t.toLowerCase()) {
      case 'image/jpeg':
      case 'image/jpg':
        return '.jpg';
      case 'image/png':
        return '.png';
      case 'image/gif':
        return '.gif';
      case 'image/webp':
        return '.webp';
      case 'image/bmp':
        return '.bmp';
      case 'image/svg+xml':
        return '.svg';
      case 'image/tiff':
        return '.tiff';
      case 'image/avif':
        return '.avif';
      case 'image/x-icon':
      case 'image/vnd.microsoft.icon':
        return '.ico';
      default:
        return null;
    }
  };
var ii = (t, e) => {
    if (t.length !== e.length) return !1;
    for (let r = 0; r < t.length; r++) if (t[r] !== e[r]) return !1;
    return !0;
  },
  ni = () => {
    Symbol.dispose ??= Symbol('Symbol.dispose');
  },
  pr = (t) => typeof t == 'number' && !Number.isNaN(t);
var si = (t, e) => {
  let r = -1,
    i = 1 / 0;
  for (let n = 0; n < t.length; n++) {
    let s = e(t[n]);
    s < i && ((i = s), (r = n));
  }
  return r;
};
var Ge = (t) => {
    (f(Number.isInteger(t.num)), f(Number.isInteger(t.den)), f(t.den !== 0));
    let e = Math.abs(t.num),
      r = Math.abs(t.den);
    for (; r !== 0;) {
      let n = e % r;
      ((e = r), (r = n));
    }
    let i = e || 1;
    return { num: t.num / i, den: t.den / i };
  },
  zt = (t, e) => {
    if (typeof t != 'object' || !t) throw new TypeError(`${e} must be an object.`);
    if (!Number.isInteger(t.left) || t.left < 0) throw new TypeError(`${e}.left must be a non-negative integer.`);
    if (!Number.isInteger(t.top) || t.top < 0) throw new TypeError(`${e}.top must be a non-negative integer.`);
    if (!Number.isInteger(t.width) || t.width < 0) throw new TypeError(`${e}.width must be a non-negative integer.`);
    if (!Number.isInteger(t.height) || t.height < 0) throw new TypeError(`${e}.height must be a non-negative integer.`);
  };
var oi = (t) => new Promise((e) => setTimeout(e, t));
var Dt = (t) => (Array.isArray(t) ? t : [t]),
  Ce = class {
    constructor() {
      this._listeners = new Map();
    }
    on(e, r, i) {
      this._listeners.has(e) || this._listeners.set(e, new Set());
      let n = { fn: r, once: i?.once ?? !1 };
      return (
        this._listeners.get(e).add(n),
        () => {
          this._listeners.get(e)?.delete(n);
        }
      );
    }
    _emit(...e) {
      let [r, i] = e,
        n = this._listeners.get(r);
      if (n)
        for (let s of n) {
          try {
            s.fn(i);
          } catch (o) {
            console.error(o);
          }
          s.once && n.delete(s);
        }
    }
  };
var ai = (t) =>
  t !== null &&
  typeof t == 'object' &&
  Object.getPrototypeOf(t) === Object.prototype &&
  Object.values(t).every((e) => typeof e == 'string');
/*!
 * Copyright (c) 2026-present, Vanilagy and contributors
 *
 * This Source Code Form is subject to the terms of the Mozilla Public
 * License, v. 2.0. If a copy of the MPL was not distributed with this
 * file, You can obtain one at https://mozilla.org/MPL/2.0/.
 */ var le;
(function (t) {
  ((t[(t.Silent = 0)] = 'Silent'),
    (t[(t.Errors = 1)] = 'Errors'),
    (t[(t.Warnings = 2)] = 'Warnings'),
    (t[(t.Info = 3)] = 'Info'));
})(le || (le = {}));
var R = class t {
  constructor() {}
  static get level() {
    return t._level;
  }
  static set level(e) {
    if (e !== le.Silent && e !== le.Errors && e !== le.Warnings && e !== le.Info)
      throw new TypeError('Invalid log level. Use one of the values of the LogLevel enum.');
    t._level = e;
  }
  static get _emitter() {
    return (t._emitterInstance ??= new Ce());
  }
  static on(e, r, i) {
    return t._emitter.on(e, r, i);
  }
  static _error(...e) {
    (t._emitter._emit('error', e), t._level >= le.Errors && console.error(...e));
  }
  static _warn(...e) {
    (t._emitter._emit('warn', e), t._level >= le.Warnings && console.warn(...e));
  }
  static _info(...e) {
    (t._emitter._emit('info', e), t._level >= le.Info && console.info(...e));
  }
};
R._level = le.Info;
R._emitterInstance = null;
/*!
 * Copyright (c) 2026-present, Vanilagy and contributors
 *
 * This Source Code Form is subject to the terms of the Mozilla Public
 * License, v. 2.0. If a copy of the MPL was not distributed with this
 * file, You can obtain one at https://mozilla.org/MPL/2.0/.
 */ var ht = class {
    constructor(e, r) {
      if (((this.data = e), (this.mimeType = r), !(e instanceof Uint8Array)))
        throw new TypeError('data must be a Uint8Array.');
      if (typeof r != 'string') throw new TypeError('mimeType must be a string.');
    }
  },
  mt = class {
    constructor(e, r, i, n) {
      if (((this.data = e), (this.mimeType = r), (this.name = i), (this.description = n), !(e instanceof Uint8Array)))
        throw new TypeError('data must be a Uint8Array.');
      if (r !== void 0 && typeof r != 'string') throw new TypeError('mimeType, when provided, must be a string.');
      if (i !== void 0 && typeof i != 'string') throw new TypeError('name, when provided, must be a string.');
      if (n !== void 0 && typeof n != 'string') throw new TypeError('description, when provided, must be a string.');
    }
  },
  ci = (t) => {
    if (!t || typeof t != 'object') throw new TypeError('tags must be an object.');
    if (t.title !== void 0 && typeof t.title != 'string')
      throw new TypeError('tags.title, when provided, must be a string.');
    if (t.description !== void 0 && typeof t.description != 'string')
      throw new TypeError('tags.description, when provided, must be a string.');
    if (t.artist !== void 0 && typeof t.artist != 'string')
      throw new TypeError('tags.artist, when provided, must be a string.');
    if (t.album !== void 0 && typeof t.album != 'string')
      throw new TypeError('tags.album, when provided, must be a string.');
    if (t.albumArtist !== void 0 && typeof t.albumArtist != 'string')
      throw new TypeError('tags.albumArtist, when provided, must be a string.');
    if (t.trackNumber !== void 0 && (!Number.isInteger(t.trackNumber) || t.trackNumber <= 0))
      throw new TypeError('tags.trackNumber, when provided, must be a positive integer.');
    if (t.tracksTotal !== void 0 && (!Number.isInteger(t.tracksTotal) || t.tracksTotal <= 0))
      throw new TypeError('tags.tracksTotal, when provided, must be a positive integer.');
    if (t.discNumber !== void 0 && (!Number.isInteger(t.discNumber) || t.discNumber <= 0))
      throw new TypeError('tags.discNumber, when provided, must be a positive integer.');
    if (t.discsTotal !== void 0 && (!Number.isInteger(t.discsTotal) || t.discsTotal <= 0))
      throw new TypeError('tags.discsTotal, when provided, must be a positive integer.');
    if (t.genre !== void 0 && typeof t.genre != 'string')
      throw new TypeError('tags.genre, when provided, must be a string.');
    if (t.date !== void 0 && (!(t.date instanceof Date) || Number.isNaN(t.date.getTime())))
      throw new TypeError('tags.date, when provided, must be a valid Date.');
    if (t.beatsPerMinute !== void 0 && (!Number.isInteger(t.beatsPerMinute) || t.beatsPerMinute <= 0))
      throw new TypeError('tags.beatsPerMinute, when provided, must be a positive integer.');
    if (t.lyrics !== void 0 && typeof t.lyrics != 'string')
      throw new TypeError('tags.lyrics, when provided, must be a string.');
    if (t.images !== void 0) {
      if (!Array.isArray(t.images)) throw new TypeError('tags.images, when provided, must be an array.');
      for (let e of t.images) {
        if (!e || typeof e != 'object') throw new TypeError('Each image in tags.images must be an object.');
        if (!(e.data instanceof Uint8Array)) throw new TypeError('Each image.data must be a Uint8Array.');
        if (typeof e.mimeType != 'string') throw new TypeError('Each image.mimeType must be a string.');
        if (!['coverFront', 'coverBack', 'unknown'].includes(e.kind))
          throw new TypeError("Each image.kind must be 'coverFront', 'coverBack', or 'unknown'.");
      }
    }
    if (t.comment !== void 0 && typeof t.comment != 'string')
      throw new TypeError('tags.comment, when provided, must be a string.');
    if (t.raw !== void 0) {
      if (!t.raw || typeof t.raw != 'object') throw new TypeError('tags.raw, when provided, must be an object.');
      for (let e of Object.values(t.raw))
        if (
          e !== null &&
          typeof e != 'string' &&
          !(Array.isArray(e) && e.every((r) => typeof r == 'string')) &&
          !(e instanceof Uint8Array) &&
          !(e instanceof ht) &&
          !(e instanceof mt) &&
          !ai(e)
        )
          throw new TypeError(
            'Each value in tags.raw must be a string, string array, Uint8Array, RichImageData, AttachedFile, Record<string, string>, or null.',
          );
    }
  };
var li = (t) => {
  if (!t || typeof t != 'object') throw new TypeError('disposition must be an object.');
  if (t.default !== void 0 && typeof t.default != 'boolean')
    throw new TypeError('disposition.default must be a boolean.');
  if (t.primary !== void 0 && typeof t.primary != 'boolean')
    throw new TypeError('disposition.primary must be a boolean.');
  if (t.forced !== void 0 && typeof t.forced != 'boolean') throw new TypeError('disposition.forced must be a boolean.');
  if (t.original !== void 0 && typeof t.original != 'boolean')
    throw new TypeError('disposition.original must be a boolean.');
  if (t.commentary !== void 0 && typeof t.commentary != 'boolean')
    throw new TypeError('disposition.commentary must be a boolean.');
  if (t.hearingImpaired !== void 0 && typeof t.hearingImpaired != 'boolean')
    throw new TypeError('disposition.hearingImpaired must be a boolean.');
  if (t.visuallyImpaired !== void 0 && typeof t.visuallyImpaired != 'boolean')
    throw new TypeError('disposition.visuallyImpaired must be a boolean.');
};
/*!
 * Copyright (c) 2026-present, Vanilagy and contributors
 *
 * This Source Code Form is subject to the terms of the Mozilla Public
 * License, v. 2.0. If a copy of the MPL was not distributed with this
 * file, You can obtain one at https://mozilla.org/MPL/2.0/.
 */ var B = class t {
  constructor(e) {
    ((this.bytes = e), (this.pos = 0));
  }
  seekToByte(e) {
    this.pos = 8 * e;
  }
  readBit() {
    let e = Math.floor(this.pos / 8),
      r = this.bytes[e] ?? 0,
      i = 7 - (this.pos & 7),
      n = (r & (1 << i)) >> i;
    return (this.pos++, n);
  }
  readBits(e) {
    if (e === 1) return this.readBit();
    let r = 0;
    for (let i = 0; i < e; i++) ((r <<= 1), (r |= this.readBit()));
    return r;
  }
  writeBits(e, r) {
    let i = this.pos + e;
    for (let n = this.pos; n < i; n++) {
      let s = Math.floor(n / 8),
        o = this.bytes[s],
        a = 7 - (n & 7);
      ((o &= ~(1 << a)), (o |= ((r & (1 << (i - n - 1))) >> (i - n - 1)) << a), (this.bytes[s] = o));
    }
    this.pos = i;
  }
  copyBits(e, r) {
    let i = 0;
    for (i; i < e - 7; i += 8) this.writeBits(8, r.readBits(8));
    let n = e - i;
    n > 0 && this.writeBits(n, r.readBits(n));
  }
  readAlignedByte() {
    if (this.pos % 8 !== 0) throw new Error('Bitstream is not byte-aligned.');
    let e = this.pos / 8,
      r = this.bytes[e] ?? 0;
    return ((this.pos += 8), r);
  }
  skipBits(e) {
    this.pos += e;
  }
  getBitsLeft() {
    return this.bytes.length * 8 - this.pos;
  }
  clone() {
    let e = new t(this.bytes);
    return ((e.pos = this.pos), e);
  }
};
/*!
 * Copyright (c) 2026-present, Vanilagy and contributors
 *
 * This Source Code Form is subject to the terms of the Mozilla Public
 * License, v. 2.0. If a copy of the MPL was not distributed with this
 * file, You can obtain one at https://mozilla.org/MPL/2.0/.
 */ var pt = [96e3, 88200, 64e3, 48e3, 44100, 32e3, 24e3, 22050, 16e3, 12e3, 11025, 8e3, 7350],
  gt = [-1, 1, 2, 3, 4, 5, 6, 8];
var Wt = (t) => {
    let e = t.objectType === 5 || t.objectType === 29,
      r = t.objectType === 29,
      i = e ? t.outputSampleRate / 2 : t.outputSampleRate,
      n = r ? 1 : t.outputNumberOfChannels,
      s = gt.indexOf(n);
    if (s === -1) throw new TypeError(`Unsupported number of channels: ${t.outputNumberOfChannels}`);
    let o = 16;
    (t.objectType >= 32 && (o += 6),
      gr(i) === 15 && (o += 24),
      e && ((o += 9), gr(t.outputSampleRate) === 15 && (o += 24)));
    let a = Math.ceil(o / 8),
      c = new Uint8Array(a),
      l = new B(c);
    return (
      di(l, t.objectType),
      ui(l, i),
      l.writeBits(4, s),
      e && (ui(l, t.outputSampleRate), di(l, 2)),
      l.writeBits(3, 0),
      c
    );
  },
  di = (t, e) => {
    e < 32 ? t.writeBits(5, e) : (t.writeBits(5, 31), t.writeBits(6, e - 32));
  },
  ui = (t, e) => {
    let r = gr(e);
    (t.writeBits(4, r), r === 15 && t.writeBits(24, e));
  },
  gr = (t) => {
    let e = pt.indexOf(t);
    return e === -1 ? 15 : e;
  };
/*!
 * Copyright (c) 2026-present, Vanilagy and contributors
 *
 * This Source Code Form is subject to the terms of the Mozilla Public
 * License, v. 2.0. If a copy of the MPL was not distributed with this
 * file, You can obtain one at https://mozilla.org/MPL/2.0/.
 */ var fi = [48e3, 44100, 32e3],
  hi = [24e3, 22050, 16e3];
/*!
 * Copyright (c) 2026-present, Vanilagy and contributors
 *
 * This Source Code Form is subject to the terms of the Mozilla Public
 * License, v. 2.0. If a copy of the MPL was not distributed with this
 * file, You can obtain one at https://mozilla.org/MPL/2.0/.
 */ var zn = '1.61.0',
  Ue = `Mediabunny v${zn}`;
/*!
 * Copyright (c) 2026-present, Vanilagy and contributors
 *
 * This Source Code Form is subject to the terms of the Mozilla Public
 * License, v. 2.0. If a copy of the MPL was not distributed with this
 * file, You can obtain one at https://mozilla.org/MPL/2.0/.
 */ var be;
(function (t) {
  ((t[(t.NON_IDR_SLICE = 1)] = 'NON_IDR_SLICE'),
    (t[(t.SLICE_DPA = 2)] = 'SLICE_DPA'),
    (t[(t.SLICE_DPB = 3)] = 'SLICE_DPB'),
    (t[(t.SLICE_DPC = 4)] = 'SLICE_DPC'),
    (t[(t.IDR = 5)] = 'IDR'),
    (t[(t.SEI = 6)] = 'SEI'),
    (t[(t.SPS = 7)] = 'SPS'),
    (t[(t.PPS = 8)] = 'PPS'),
    (t[(t.AUD = 9)] = 'AUD'),
    (t[(t.SPS_EXT = 13)] = 'SPS_EXT'));
})(be || (be = {}));
var $;
(function (t) {
  ((t[(t.RASL_N = 8)] = 'RASL_N'),
    (t[(t.RASL_R = 9)] = 'RASL_R'),
    (t[(t.BLA_W_LP = 16)] = 'BLA_W_LP'),
    (t[(t.RSV_IRAP_VCL23 = 23)] = 'RSV_IRAP_VCL23'),
    (t[(t.VPS_NUT = 32)] = 'VPS_NUT'),
    (t[(t.SPS_NUT = 33)] = 'SPS_NUT'),
    (t[(t.PPS_NUT = 34)] = 'PPS_NUT'),
    (t[(t.AUD_NUT = 35)] = 'AUD_NUT'),
    (t[(t.PREFIX_SEI_NUT = 39)] = 'PREFIX_SEI_NUT'),
    (t[(t.SUFFIX_SEI_NUT = 40)] = 'SUFFIX_SEI_NUT'));
})($ || ($ = {}));
var Ke = function* (t) {
    let e = 0,
      r = -1;
    for (; e < t.length - 2;) {
      let i = t.indexOf(0, e);
      if (i === -1 || i >= t.length - 2) break;
      e = i;
      let n = 0;
      if (
        (e + 3 < t.length && t[e + 1] === 0 && t[e + 2] === 0 && t[e + 3] === 1
          ? (n = 4)
          : t[e + 1] === 0 && t[e + 2] === 1 && (n = 3),
        n === 0)
      ) {
        e++;
        continue;
      }
      (r !== -1 && e > r && (yield { offset: r, length: e - r }), (r = e + n), (e = r));
    }
    r !== -1 && r < t.length && (yield { offset: r, length: t.length - r });
  },
  Ti = function* (t, e) {
    let r = 0,
      i = new DataView(t.buffer, t.byteOffset, t.byteLength);
    for (; r + e <= t.length;) {
      let n;
      (e === 1
        ? (n = i.getUint8(r))
        : e === 2
          ? (n = i.getUint16(r, !1))
          : e === 3
            ? (n = fr(i, r, !1))
            : (f(e === 4), (n = i.getUint32(r, !1))),
        (r += e),
        yield { offset: r, length: n },
        (r += n));
    }
  },
  Wn = (t, e) => {
    if (e.description) {
      let n = (F(e.description)[4] & 3) + 1;
      return Ti(t, n);
    } else return Ke(t);
  },
  xi = (t) => t & 31,
  Nt = (t) => {
    let e = [],
      r = t.length;
    for (let i = 0; i < r; i++)
      i + 2 < r && t[i] === 0 && t[i + 1] === 0 && t[i + 2] === 3 ? (e.push(0, 0), (i += 2)) : e.push(t[i]);
    return new Uint8Array(e);
  };
var wa = new Uint8Array([0, 0, 0, 1]);
var Ci = (t, e) => {
  let r = t.reduce((s, o) => s + e + o.byteLength, 0),
    i = new Uint8Array(r),
    n = 0;
  for (let s of t) {
    let o = new DataView(i.buffer, i.byteOffset, i.byteLength);
    switch (e) {
      case 1:
        o.setUint8(n, s.byteLength);
        break;
      case 2:
        o.setUint16(n, s.byteLength, !1);
        break;
      case 3:
        hr(o, n, s.byteLength, !1);
        break;
      case 4:
        o.setUint32(n, s.byteLength, !1);
        break;
    }
    ((n += e), i.set(s, n), (n += s.byteLength));
  }
  return i;
};
var Si = (t) => {
    try {
      let e = [],
        r = [],
        i = [];
      for (let a of Ke(t)) {
        let c = t.subarray(a.offset, a.offset + a.length),
          l = xi(c[0]);
        l === be.SPS ? e.push(c) : l === be.PPS ? r.push(c) : l === be.SPS_EXT && i.push(c);
      }
      if (e.length === 0 || r.length === 0) return null;
      let n = e[0],
        s = Nn(n);
      f(s !== null);
      let o = s.profileIdc === 100 || s.profileIdc === 110 || s.profileIdc === 122 || s.profileIdc === 144;
      return {
        configurationVersion: 1,
        avcProfileIndication: s.profileIdc,
        profileCompatibility: s.constraintFlags,
        avcLevelIndication: s.levelIdc,
        lengthSizeMinusOne: 3,
        sequenceParameterSets: e,
        pictureParameterSets: r,
        chromaFormat: o ? s.chromaFormatIdc : null,
        bitDepthLumaMinus8: o ? s.bitDepthLumaMinus8 : null,
        bitDepthChromaMinus8: o ? s.bitDepthChromaMinus8 : null,
        sequenceParameterSetExt: o ? i : null,
      };
    } catch (e) {
      return (R._error('Error building AVC Decoder Configuration Record:', e), null);
    }
  },
  Ei = (t) => {
    let e = [];
    (e.push(t.configurationVersion),
      e.push(t.avcProfileIndication),
      e.push(t.profileCompatibility),
      e.push(t.avcLevelIndication),
      e.push(252 | (t.lengthSizeMinusOne & 3)),
      e.push(224 | (t.sequenceParameterSets.length & 31)));
    for (let r of t.sequenceParameterSets) {
      let i = r.byteLength;
      (e.push(i >> 8), e.push(i & 255));
      for (let n = 0; n < i; n++) e.push(r[n]);
    }
    e.push(t.pictureParameterSets.length);
    for (let r of t.pictureParameterSets) {
      let i = r.byteLength;
      (e.push(i >> 8), e.push(i & 255));
      for (let n = 0; n < i; n++) e.push(r[n]);
    }
    if (
      (t.avcProfileIndication === 100 ||
        t.avcProfileIndication === 110 ||
        t.avcProfileIndication === 122 ||
        t.avcProfileIndication === 144) &&
      t.chromaFormat !== null
    ) {
      (f(t.bitDepthLumaMinus8 !== null),
        f(t.bitDepthChromaMinus8 !== null),
        f(t.sequenceParameterSetExt !== null),
        e.push(252 | (t.chromaFormat & 3)),
        e.push(248 | (t.bitDepthLumaMinus8 & 7)),
        e.push(248 | (t.bitDepthChromaMinus8 & 7)),
        e.push(t.sequenceParameterSetExt.length));
      for (let r of t.sequenceParameterSetExt) {
        let i = r.byteLength;
        (e.push(i >> 8), e.push(i & 255));
        for (let n = 0; n < i; n++) e.push(r[n]);
      }
    }
    return new Uint8Array(e);
  };
var _i = {
    1: { num: 1, den: 1 },
    2: { num: 12, den: 11 },
    3: { num: 10, den: 11 },
    4: { num: 16, den: 11 },
    5: { num: 40, den: 33 },
    6: { num: 24, den: 11 },
    7: { num: 20, den: 11 },
    8: { num: 32, den: 11 },
    9: { num: 80, den: 33 },
    10: { num: 18, den: 11 },
    11: { num: 15, den: 11 },
    12: { num: 64, den: 33 },
    13: { num: 160, den: 99 },
    14: { num: 4, den: 3 },
    15: { num: 3, den: 2 },
    16: { num: 2, den: 1 },
  },
  Nn = (t) => {
    try {
      let e = Nt(t),
        r = new B(e);
      if ((r.skipBits(1), r.skipBits(2), r.readBits(5) !== 7)) return null;
      let n = r.readAlignedByte(),
        s = r.readAlignedByte(),
        o = r.readAlignedByte();
      A(r);
      let a = 1,
        c = 0,
        l = 0,
        d = 0;
      if (
        (n === 100 ||
          n === 110 ||
          n === 122 ||
          n === 244 ||
          n === 44 ||
          n === 83 ||
          n === 86 ||
          n === 118 ||
          n === 128) &&
        ((a = A(r)), a === 3 && (d = r.readBits(1)), (c = A(r)), (l = A(r)), r.skipBits(1), r.readBits(1))
      ) {
        for (let U = 0; U < (a !== 3 ? 8 : 12); U++)
          if (r.readBits(1)) {
            let ee = U < 6 ? 16 : 64,
              te = 8,
              N = 8;
            for (let xe = 0; xe < ee; xe++) {
              if (N !== 0) {
                let Ve = ce(r);
                N = (te + Ve + 256) % 256;
              }
              te = N === 0 ? te : N;
            }
          }
      }
      A(r);
      let u = A(r);
      if (u === 0) A(r);
      else if (u === 1) {
        (r.skipBits(1), ce(r), ce(r));
        let Z = A(r);
        for (let U = 0; U < Z; U++) ce(r);
      }
      (A(r), r.skipBits(1));
      let h = A(r),
        p = A(r),
        w = 16 * (h + 1),
        y = 16 * (p + 1),
        x = w,
        C = y,
        _ = r.readBits(1);
      if ((_ || r.skipBits(1), r.skipBits(1), r.readBits(1))) {
        let Z = A(r),
          U = A(r),
          J = A(r),
          ee = A(r),
          te,
          N;
        if ((d === 0 ? a : 0) === 0) ((te = 1), (N = 2 - _));
        else {
          let Ve = a === 3 ? 1 : 2,
            Bt = a === 1 ? 2 : 1;
          ((te = Ve), (N = Bt * (2 - _)));
        }
        ((x -= te * (Z + U)), (C -= N * (J + ee)));
      }
      let V = 2,
        j = 2,
        Oe = 2,
        Me = 0,
        pe = { num: 1, den: 1 },
        oe = null,
        X = null,
        Y = null,
        I = null,
        ge = r.pos;
      if (r.readBits(1)) {
        if (r.readBits(1)) {
          let Ve = r.readBits(8);
          if (Ve === 255) pe = { num: r.readBits(16), den: r.readBits(16) };
          else {
            let Bt = _i[Ve];
            Bt && (pe = Bt);
          }
        }
        (r.readBits(1) && r.skipBits(1),
          r.readBits(1) &&
            (r.skipBits(3),
            (Me = r.readBits(1)),
            r.readBits(1) && ((V = r.readBits(8)), (j = r.readBits(8)), (Oe = r.readBits(8)))),
          r.readBits(1) && (A(r), A(r)),
          r.readBits(1) && (r.skipBits(32), r.skipBits(32), r.skipBits(1)));
        let N = r.readBits(1);
        N && mi(r);
        let xe = r.readBits(1);
        (xe && mi(r),
          (N || xe) && r.skipBits(1),
          r.skipBits(1),
          (Y = r.pos),
          (I = r.readBits(1)),
          I && (r.skipBits(1), A(r), A(r), A(r), A(r), (oe = A(r)), (X = A(r))));
      }
      if (oe === null) {
        f(X === null);
        let Z = s & 16;
        if ((n === 44 || n === 86 || n === 100 || n === 110 || n === 122 || n === 244) && Z) ((oe = 0), (X = 0));
        else {
          let U = h + 1,
            J = p + 1,
            ee = (2 - _) * J,
            te = wt.find((xe) => xe.level >= o) ?? z(wt),
            N = Math.min(Math.floor(te.maxDpbMbs / (U * ee)), 16);
          ((oe = N), (X = N));
        }
      }
      return (
        f(X !== null),
        {
          emulationUnpreventedBytes: e,
          profileIdc: n,
          constraintFlags: s,
          levelIdc: o,
          frameMbsOnlyFlag: _,
          chromaFormatIdc: a,
          bitDepthLumaMinus8: c,
          bitDepthChromaMinus8: l,
          codedWidth: w,
          codedHeight: y,
          displayWidth: x,
          displayHeight: C,
          pixelAspectRatio: pe,
          colourPrimaries: V,
          matrixCoefficients: Oe,
          transferCharacteristics: j,
          fullRangeFlag: Me,
          numReorderFrames: oe,
          maxDecFrameBuffering: X,
          vuiParametersFlagBitOffset: ge,
          bitstreamRestrictionFlagBitOffset: Y,
          bitstreamRestrictionFlag: I,
        }
      );
    } catch (e) {
      return (R._error('Error parsing AVC SPS:', e), null);
    }
  },
  mi = (t) => {
    let e = A(t);
    (t.skipBits(4), t.skipBits(4));
    for (let r = 0; r <= e; r++) (A(t), A(t), t.skipBits(1));
    (t.skipBits(5), t.skipBits(5), t.skipBits(5), t.skipBits(5));
  };
var Hn = (t, e) => {
    if (e.description) {
      let n = (F(e.description)[21] & 3) + 1;
      return Ti(t, n);
    } else return Ke(t);
  },
  wr = (t) => (t >> 1) & 63,
  qn = (t) => {
    try {
      let e = new B(Nt(t));
      (e.skipBits(16), e.readBits(4));
      let r = e.readBits(3),
        i = e.readBits(1),
        {
          general_profile_space: n,
          general_tier_flag: s,
          general_profile_idc: o,
          general_profile_compatibility_flags: a,
          general_constraint_indicator_flags: c,
          general_level_idc: l,
        } = Ln(e, r);
      A(e);
      let d = A(e),
        u = 0;
      d === 3 && (u = e.readBits(1));
      let h = A(e),
        p = A(e),
        w = h,
        y = p;
      if (e.readBits(1)) {
        let I = A(e),
          ge = A(e),
          dt = A(e),
          Z = A(e),
          U = 1,
          J = 1,
          ee = u === 0 ? d : 0;
        (ee === 1 ? ((U = 2), (J = 2)) : ee === 2 && ((U = 2), (J = 1)), (w -= (I + ge) * U), (y -= (dt + Z) * J));
      }
      let x = A(e),
        C = A(e);
      A(e);
      let M = e.readBits(1) ? 0 : r,
        V = 0;
      for (let I = M; I <= r; I++) (A(e), (V = A(e)), A(e));
      (A(e),
        A(e),
        A(e),
        A(e),
        A(e),
        A(e),
        e.readBits(1) && e.readBits(1) && jn(e),
        e.skipBits(1),
        e.skipBits(1),
        e.readBits(1) && (e.skipBits(4), e.skipBits(4), A(e), A(e), e.skipBits(1)));
      let j = A(e);
      if ((Qn(e, j), e.readBits(1))) {
        let I = A(e);
        for (let ge = 0; ge < I; ge++) (A(e), e.skipBits(1));
      }
      (e.skipBits(1), e.skipBits(1));
      let Oe = 2,
        Me = 2,
        pe = 2,
        oe = 0,
        X = 0,
        Y = { num: 1, den: 1 };
      if (e.readBits(1)) {
        let I = Gn(e, r);
        ((Y = I.pixelAspectRatio),
          (Oe = I.colourPrimaries),
          (Me = I.transferCharacteristics),
          (pe = I.matrixCoefficients),
          (oe = I.fullRangeFlag),
          (X = I.minSpatialSegmentationIdc));
      }
      return {
        displayWidth: w,
        displayHeight: y,
        pixelAspectRatio: Y,
        colourPrimaries: Oe,
        transferCharacteristics: Me,
        matrixCoefficients: pe,
        fullRangeFlag: oe,
        maxDecFrameBuffering: V + 1,
        spsMaxSubLayersMinus1: r,
        spsTemporalIdNestingFlag: i,
        generalProfileSpace: n,
        generalTierFlag: s,
        generalProfileIdc: o,
        generalProfileCompatibilityFlags: a,
        generalConstraintIndicatorFlags: c,
        generalLevelIdc: l,
        chromaFormatIdc: d,
        bitDepthLumaMinus8: x,
        bitDepthChromaMinus8: C,
        minSpatialSegmentationIdc: X,
      };
    } catch (e) {
      return (R._error('Error parsing HEVC SPS:', e), null);
    }
  },
  vi = (t) => {
    try {
      let e = [],
        r = [],
        i = [],
        n = [];
      for (let l of Ke(t)) {
        let d = t.subarray(l.offset, l.offset + l.length),
          u = wr(d[0]);
        u === $.VPS_NUT
          ? e.push(d)
          : u === $.SPS_NUT
            ? r.push(d)
            : u === $.PPS_NUT
              ? i.push(d)
              : (u === $.PREFIX_SEI_NUT || u === $.SUFFIX_SEI_NUT) && n.push(d);
      }
      if (r.length === 0 || i.length === 0) return null;
      let s = qn(r[0]);
      if (!s) return null;
      let o = 0;
      if (i.length > 0) {
        let l = i[0],
          d = new B(Nt(l));
        (d.skipBits(16),
          A(d),
          A(d),
          d.skipBits(1),
          d.skipBits(1),
          d.skipBits(3),
          d.skipBits(1),
          d.skipBits(1),
          A(d),
          A(d),
          ce(d),
          d.skipBits(1),
          d.skipBits(1),
          d.readBits(1) && A(d),
          ce(d),
          ce(d),
          d.skipBits(1),
          d.skipBits(1),
          d.skipBits(1),
          d.skipBits(1));
        let u = d.readBits(1),
          h = d.readBits(1);
        !u && !h ? (o = 0) : u && !h ? (o = 2) : !u && h ? (o = 3) : (o = 0);
      }
      let a = [
        ...(e.length ? [{ arrayCompleteness: 1, nalUnitType: $.VPS_NUT, nalUnits: e }] : []),
        ...(r.length ? [{ arrayCompleteness: 1, nalUnitType: $.SPS_NUT, nalUnits: r }] : []),
        ...(i.length ? [{ arrayCompleteness: 1, nalUnitType: $.PPS_NUT, nalUnits: i }] : []),
        ...(n.length ? [{ arrayCompleteness: 1, nalUnitType: wr(n[0][0]), nalUnits: n }] : []),
      ];
      return {
        configurationVersion: 1,
        generalProfileSpace: s.generalProfileSpace,
        generalTierFlag: s.generalTierFlag,
        generalProfileIdc: s.generalProfileIdc,
        generalProfileCompatibilityFlags: s.generalProfileCompatibilityFlags,
        generalConstraintIndicatorFlags: s.generalConstraintIndicatorFlags,
        generalLevelIdc: s.generalLevelIdc,
        minSpatialSegmentationIdc: s.minSpatialSegmentationIdc,
        parallelismType: o,
        chromaFormatIdc: s.chromaFormatIdc,
        bitDepthLumaMinus8: s.bitDepthLumaMinus8,
        bitDepthChromaMinus8: s.bitDepthChromaMinus8,
        avgFrameRate: 0,
        constantFrameRate: 0,
        numTemporalLayers: s.spsMaxSubLayersMinus1 + 1,
        temporalIdNested: s.spsTemporalIdNestingFlag,
        lengthSizeMinusOne: 3,
        arrays: a,
      };
    } catch (e) {
      return (R._error('Error building HEVC Decoder Configuration Record:', e), null);
    }
  },
  Ln = (t, e) => {
    let r = t.readBits(2),
      i = t.readBits(1),
      n = t.readBits(5),
      s = 0;
    for (let d = 0; d < 32; d++) s = (s << 1) | t.readBits(1);
    let o = new Uint8Array(6);
    for (let d = 0; d < 6; d++) o[d] = t.readBits(8);
    let a = t.readBits(8),
      c = [],
      l = [];
    for (let d = 0; d < e; d++) (c.push(t.readBits(1)), l.push(t.readBits(1)));
    if (e > 0) for (let d = e; d < 8; d++) t.skipBits(2);
    for (let d = 0; d < e; d++) (c[d] && t.skipBits(88), l[d] && t.skipBits(8));
    return {
      general_profile_space: r,
      general_tier_flag: i,
      general_profile_idc: n,
      general_profile_compatibility_flags: s,
      general_constraint_indicator_flags: o,
      general_level_idc: a,
    };
  },
  jn = (t) => {
    for (let e = 0; e < 4; e++)
      for (let r = 0; r < (e === 3 ? 2 : 6); r++)
        if (!t.readBits(1)) A(t);
        else {
          let n = Math.min(64, 1 << (4 + (e << 1)));
          e > 1 && ce(t);
          for (let s = 0; s < n; s++) ce(t);
        }
  },
  Qn = (t, e) => {
    let r = [];
    for (let i = 0; i < e; i++) r[i] = $n(t, i, e, r);
  },
  $n = (t, e, r, i) => {
    let n = 0,
      s = 0,
      o = 0;
    if ((e !== 0 && (s = t.readBits(1)), s)) {
      if (e === r) {
        let c = A(t);
        o = e - (c + 1);
      } else o = e - 1;
      (t.readBits(1), A(t));
      let a = i[o] ?? 0;
      for (let c = 0; c <= a; c++) t.readBits(1) || t.readBits(1);
      n = i[o];
    } else {
      let a = A(t),
        c = A(t);
      for (let l = 0; l < a; l++) (A(t), t.readBits(1));
      for (let l = 0; l < c; l++) (A(t), t.readBits(1));
      n = a + c;
    }
    return n;
  },
  Gn = (t, e) => {
    let r = 2,
      i = 2,
      n = 2,
      s = 0,
      o = 0,
      a = { num: 1, den: 1 };
    if (t.readBits(1)) {
      let c = t.readBits(8);
      if (c === 255) a = { num: t.readBits(16), den: t.readBits(16) };
      else {
        let l = _i[c];
        l && (a = l);
      }
    }
    return (
      t.readBits(1) && t.readBits(1),
      t.readBits(1) &&
        (t.readBits(3),
        (s = t.readBits(1)),
        t.readBits(1) && ((r = t.readBits(8)), (i = t.readBits(8)), (n = t.readBits(8)))),
      t.readBits(1) && (A(t), A(t)),
      t.readBits(1),
      t.readBits(1),
      t.readBits(1),
      t.readBits(1) && (A(t), A(t), A(t), A(t)),
      t.readBits(1) && (t.readBits(32), t.readBits(32), t.readBits(1) && A(t), t.readBits(1) && Kn(t, !0, e)),
      t.readBits(1) && (t.readBits(1), t.readBits(1), t.readBits(1), (o = A(t)), A(t), A(t), A(t), A(t)),
      {
        pixelAspectRatio: a,
        colourPrimaries: r,
        transferCharacteristics: i,
        matrixCoefficients: n,
        fullRangeFlag: s,
        minSpatialSegmentationIdc: o,
      }
    );
  },
  Kn = (t, e, r) => {
    let i = !1,
      n = !1,
      s = !1;
    e &&
      ((i = t.readBits(1) === 1),
      (n = t.readBits(1) === 1),
      (i || n) &&
        ((s = t.readBits(1) === 1),
        s && (t.readBits(8), t.readBits(5), t.readBits(1), t.readBits(5)),
        t.readBits(4),
        t.readBits(4),
        s && t.readBits(4),
        t.readBits(5),
        t.readBits(5),
        t.readBits(5)));
    for (let o = 0; o <= r; o++) {
      let a = t.readBits(1) === 1,
        c = !0;
      a || (c = t.readBits(1) === 1);
      let l = !1;
      c ? A(t) : (l = t.readBits(1) === 1);
      let d = 1;
      (l || (d = A(t) + 1), i && pi(t, d, s), n && pi(t, d, s));
    }
  },
  pi = (t, e, r) => {
    for (let i = 0; i < e; i++) (A(t), A(t), r && (A(t), A(t)), t.readBits(1));
  },
  ki = (t) => {
    let e = [];
    (e.push(t.configurationVersion),
      e.push(((t.generalProfileSpace & 3) << 6) | ((t.generalTierFlag & 1) << 5) | (t.generalProfileIdc & 31)),
      e.push((t.generalProfileCompatibilityFlags >>> 24) & 255),
      e.push((t.generalProfileCompatibilityFlags >>> 16) & 255),
      e.push((t.generalProfileCompatibilityFlags >>> 8) & 255),
      e.push(t.generalProfileCompatibilityFlags & 255),
      e.push(...t.generalConstraintIndicatorFlags),
      e.push(t.generalLevelIdc & 255),
      e.push(240 | ((t.minSpatialSegmentationIdc >> 8) & 15)),
      e.push(t.minSpatialSegmentationIdc & 255),
      e.push(252 | (t.parallelismType & 3)),
      e.push(252 | (t.chromaFormatIdc & 3)),
      e.push(248 | (t.bitDepthLumaMinus8 & 7)),
      e.push(248 | (t.bitDepthChromaMinus8 & 7)),
      e.push((t.avgFrameRate >> 8) & 255),
      e.push(t.avgFrameRate & 255),
      e.push(
        ((t.constantFrameRate & 3) << 6) |
          ((t.numTemporalLayers & 7) << 3) |
          ((t.temporalIdNested & 1) << 2) |
          (t.lengthSizeMinusOne & 3),
      ),
      e.push(t.arrays.length & 255));
    for (let r of t.arrays) {
      (e.push(((r.arrayCompleteness & 1) << 7) | 0 | (r.nalUnitType & 63)),
        e.push((r.nalUnits.length >> 8) & 255),
        e.push(r.nalUnits.length & 255));
      for (let i of r.nalUnits) {
        (e.push((i.length >> 8) & 255), e.push(i.length & 255));
        for (let n = 0; n < i.length; n++) e.push(i[n]);
      }
    }
    return new Uint8Array(e);
  };
var gi;
(function (t) {
  ((t[(t.audAllowed = 0)] = 'audAllowed'),
    (t[(t.beforeFirstVcl = 1)] = 'beforeFirstVcl'),
    (t[(t.afterFirstVcl = 2)] = 'afterFirstVcl'),
    (t[(t.eoBitstreamAllowed = 3)] = 'eoBitstreamAllowed'),
    (t[(t.noMoreDataAllowed = 4)] = 'noMoreDataAllowed'));
})(gi || (gi = {}));
var Xn = function* (t) {
  let e = new B(t),
    r = () => {
      let i = 0;
      for (let n = 0; n < 8; n++) {
        let s = e.readAlignedByte();
        if (((i += (s & 127) * 2 ** (n * 7)), !(s & 128))) break;
        if (n === 7 && s & 128) return null;
      }
      return i > 2 ** 32 - 1 ? null : i;
    };
  for (; e.getBitsLeft() >= 8;) {
    e.skipBits(1);
    let i = e.readBits(4),
      n = e.readBits(1),
      s = e.readBits(1);
    (e.skipBits(1), n && e.skipBits(8));
    let o;
    if (s) {
      let a = r();
      if (a === null) return;
      o = a;
    } else o = Math.floor(e.getBitsLeft() / 8);
    (f(e.pos % 8 === 0), yield { type: i, data: t.subarray(e.pos / 8, e.pos / 8 + o) }, e.skipBits(o * 8));
  }
};
var Ht = (t) => {
  let e = Se(t),
    r = e.getUint8(9),
    i = e.getUint16(10, !0),
    n = e.getUint32(12, !0),
    s = e.getInt16(16, !0),
    o = e.getUint8(18),
    a = null;
  return (
    o && (a = t.subarray(19, 21 + r)),
    {
      outputChannelCount: r,
      preSkip: i,
      inputSampleRate: n,
      outputGain: s,
      channelMappingFamily: o,
      channelMappingTable: a,
    }
  );
};
var Bi = (t, e, r) => {
    switch (t) {
      case 'avc': {
        for (let i of Wn(r, e)) {
          let n = r[i.offset],
            s = xi(n);
          if (s >= be.NON_IDR_SLICE && s <= be.SLICE_DPC) return 'delta';
          if (s === be.IDR) return 'key';
          if (s === be.SEI && !Jr()) {
            let o = r.subarray(i.offset, i.offset + i.length),
              a = Nt(o),
              c = 1;
            do {
              let l = 0;
              for (;;) {
                let h = a[c++];
                if (h === void 0 || ((l += h), h < 255)) break;
              }
              let d = 0;
              for (;;) {
                let h = a[c++];
                if (h === void 0 || ((d += h), h < 255)) break;
              }
              if (l === 6) {
                let h = new B(a);
                h.pos = 8 * c;
                let p = A(h),
                  w = h.readBits(1);
                if (p === 0 && w === 1) return 'key';
              }
              c += d;
            } while (c < a.length - 1);
          }
        }
        return 'delta';
      }
      case 'hevc': {
        for (let i of Hn(r, e)) {
          let n = wr(r[i.offset]);
          if (n < $.BLA_W_LP) return 'delta';
          if (n <= $.RSV_IRAP_VCL23) return 'key';
        }
        return 'delta';
      }
      case 'vp8':
        return (r[0] & 1) === 0 ? 'key' : 'delta';
      case 'vp9': {
        let i = new B(r);
        if (i.readBits(2) !== 2) return null;
        let n = i.readBits(1);
        return (
          (i.readBits(1) << 1) + n === 3 && i.skipBits(1),
          i.readBits(1) ? null : i.readBits(1) === 0 ? 'key' : 'delta'
        );
      }
      case 'av1': {
        let i = !1;
        for (let { type: n, data: s } of Xn(r))
          if (n === 1) {
            let o = new B(s);
            (o.skipBits(4), (i = !!o.readBits(1)));
          } else if (n === 3 || n === 6 || n === 7) {
            if (i) return 'key';
            let o = new B(s);
            return o.readBits(1) ? null : o.readBits(2) === 0 ? 'key' : 'delta';
          }
        return null;
      }
      case 'prores':
        return 'key';
      default:
        (D(t), f(!1));
    }
  },
  wi;
(function (t) {
  ((t[(t.STREAMINFO = 0)] = 'STREAMINFO'),
    (t[(t.VORBIS_COMMENT = 4)] = 'VORBIS_COMMENT'),
    (t[(t.PICTURE = 6)] = 'PICTURE'));
})(wi || (wi = {}));
var Pi = (t) => {
    if (t.length < 7 || t[0] !== 11 || t[1] !== 119) return null;
    let e = new B(t);
    (e.skipBits(16), e.skipBits(16));
    let r = e.readBits(2);
    if (r === 3) return null;
    let i = e.readBits(6),
      n = e.readBits(5);
    if (n > 8) return null;
    let s = e.readBits(3),
      o = e.readBits(3);
    ((o & 1) !== 0 && o !== 1 && e.skipBits(2), (o & 4) !== 0 && e.skipBits(2), o === 2 && e.skipBits(2));
    let a = e.readBits(1),
      c = Math.floor(i / 2);
    return { fscod: r, bsid: n, bsmod: s, acmod: o, lfeon: a, bitRateCode: c };
  },
  Aa = [
    128,
    138,
    192,
    128,
    140,
    192,
    160,
    174,
    240,
    160,
    176,
    240,
    192,
    208,
    288,
    192,
    210,
    288,
    224,
    242,
    336,
    224,
    244,
    336,
    256,
    278,
    384,
    256,
    280,
    384,
    320,
    348,
    480,
    320,
    350,
    480,
    384,
    416,
    288 * 2,
    384,
    418,
    288 * 2,
    448,
    486,
    336 * 2,
    448,
    488,
    336 * 2,
    256 * 2,
    278 * 2,
    384 * 2,
    256 * 2,
    279 * 2,
    384 * 2,
    320 * 2,
    348 * 2,
    480 * 2,
    320 * 2,
    349 * 2,
    480 * 2,
    384 * 2,
    417 * 2,
    576 * 2,
    384 * 2,
    418 * 2,
    576 * 2,
    448 * 2,
    487 * 2,
    672 * 2,
    448 * 2,
    488 * 2,
    672 * 2,
    512 * 2,
    557 * 2,
    768 * 2,
    512 * 2,
    558 * 2,
    768 * 2,
    640 * 2,
    696 * 2,
    960 * 2,
    640 * 2,
    697 * 2,
    960 * 2,
    768 * 2,
    835 * 2,
    1152 * 2,
    768 * 2,
    836 * 2,
    1152 * 2,
    896 * 2,
    975 * 2,
    1344 * 2,
    896 * 2,
    976 * 2,
    1344 * 2,
    1024 * 2,
    1114 * 2,
    1536 * 2,
    1024 * 2,
    1115 * 2,
    1536 * 2,
    1152 * 2,
    1253 * 2,
    1728 * 2,
    1152 * 2,
    1254 * 2,
    1728 * 2,
    1280 * 2,
    1393 * 2,
    1920 * 2,
    1280 * 2,
    1394 * 2,
    1920 * 2,
  ];
var ya = new Uint8Array([5, 4, 65, 67, 45, 51]),
  ba = new Uint8Array([5, 4, 69, 65, 67, 51]),
  Yn = [1, 2, 3, 6],
  Ii = (t) => {
    if (t.length < 6 || t[0] !== 11 || t[1] !== 119) return null;
    let e = new B(t);
    e.skipBits(16);
    let r = e.readBits(2);
    if ((e.skipBits(3), r !== 0 && r !== 2)) return null;
    let i = e.readBits(11),
      n = e.readBits(2),
      s = 0,
      o;
    n === 3 ? ((s = e.readBits(2)), (o = 3)) : (o = e.readBits(2));
    let a = e.readBits(3),
      c = e.readBits(1),
      l = e.readBits(5);
    if (l < 11 || l > 16) return null;
    let d = Yn[o],
      u;
    return (
      n < 3 ? (u = fi[n] / 1e3) : (u = hi[s] / 1e3),
      {
        dataRate: Math.round(((i + 1) * u) / (d * 16)),
        substreams: [{ fscod: n, fscod2: s, bsid: l, bsmod: 0, acmod: a, lfeon: c, numDepSub: 0, chanLoc: 0 }],
      }
    );
  };
var Zn = 1683496997,
  Jn = 18,
  es = 10;
var Ai = 32,
  ts = 20,
  rs = 8,
  is = [0, 8e3, 16e3, 32e3, 0, 0, 11025, 22050, 44100, 0, 0, 12e3, 24e3, 48e3, 96e3, 192e3],
  ns = [
    32e3, 56e3, 64e3, 96e3, 112e3, 128e3, 192e3, 224e3, 256e3, 32e4, 384e3, 448e3, 512e3, 576e3, 64e4, 768e3, 96e4,
    1024e3, 1152e3, 128e4, 1344e3, 1408e3, 1411200, 1472e3, 1536e3, 192e4, 2048e3, 3072e3, 384e4, 0, 0, 0,
  ],
  ss = [16, 16, 20, 20, 0, 24, 24, 0],
  yi = [1, 2, 2, 2, 2, 3, 3, 4, 4, 5, 6, 6, 6, 7, 8, 8],
  os = [1, 2, 2, 2, 2, 3, 18, 19, 6, 7, 518, 323, 83, 519, 582, 535],
  as = 8;
var cs = [32e3, 44100, 48e3, 0],
  ls = [8e3, 16e3, 32e3, 64e3, 128e3, 22050, 44100, 88200, 176400, 352800, 12e3, 24e3, 48e3, 96e3, 192e3, 384e3],
  ds = [512, 1024, 2048, 4096],
  Ri = (t) => {
    let e = us(t),
      r = Se(t),
      i = e ? Math.ceil(e.frameSize / 4) * 4 : 0,
      n = null;
    for (; i + 4 <= t.length && r.getUint32(i) === Zn;) {
      let o = fs(t.subarray(i));
      if (!o) break;
      ((n ??= o), (i += o.frameSize));
    }
    if (e)
      return {
        frameSize: n ? i : e.frameSize,
        sampleRate: e.sampleRate,
        numberOfChannels: e.numberOfChannels,
        sampleCount: e.sampleCount,
        channelLayout: e.channelLayout,
        pcmResolution: e.pcmResolution,
        bitRate: e.bitRate,
        core: e,
        hasExtensions: n !== null,
      };
    if (!n?.asset) return null;
    let { asset: s } = n;
    return {
      frameSize: i,
      sampleRate: s.sampleRate,
      numberOfChannels: s.numberOfChannels,
      sampleCount: s.sampleCount,
      channelLayout: s.channelLayout,
      pcmResolution: s.pcmResolution,
      bitRate: 0,
      core: null,
      hasExtensions: !0,
    };
  };
var us = (t) => {
    if (t.length < Jn || t[0] !== 127 || t[1] !== 254 || t[2] !== 128 || t[3] !== 1) return null;
    let e = new B(t);
    if ((e.skipBits(32), e.skipBits(1), e.readBits(5) !== Ai - 1)) return null;
    let r = e.readBits(1),
      i = e.readBits(7) + 1;
    if (i % rs !== 0) return null;
    let n = e.readBits(14) + 1;
    if (n < 96) return null;
    let s = e.readBits(6);
    if (s >= yi.length) return null;
    let o = is[e.readBits(4)];
    if (o === 0) return null;
    let a = ns[e.readBits(5)];
    if (e.readBits(1) !== 0) return null;
    (e.skipBits(4), e.skipBits(5));
    let c = e.readBits(2);
    if (c === 3) return null;
    (e.skipBits(1), r && e.skipBits(16), e.skipBits(7));
    let l = ss[e.readBits(3)];
    if (l === 0) return null;
    let d = c !== 0;
    return {
      frameSize: n,
      sampleRate: o,
      numberOfChannels: yi[s] + (d ? 1 : 0),
      sampleCount: i * Ai,
      channelLayout: os[s] | (d ? as : 0),
      amode: s,
      lfePresent: d,
      bitRate: a,
      pcmResolution: l,
    };
  },
  fs = (t) => {
    if (t.length < es || t[0] !== 100 || t[1] !== 88 || t[2] !== 32 || t[3] !== 37) return null;
    let e = new B(t);
    (e.skipBits(32), e.skipBits(8));
    let r = e.readBits(2),
      i = e.readBits(1),
      n = 8 + 4 * i,
      s = 16 + 4 * i;
    e.skipBits(n);
    let o = e.readBits(s) + 1,
      a = { frameSize: o, asset: null };
    if (!e.readBits(1)) return a;
    let c = cs[e.readBits(2)],
      l = 512 * (e.readBits(3) + 1);
    e.readBits(1) && e.skipBits(36);
    let d = e.readBits(3) + 1,
      u = e.readBits(3) + 1,
      h = [];
    for (let C = 0; C < d; C++) h.push(e.readBits(r + 1));
    for (let C of h) e.skipBits(8 * Xr(C));
    if (e.readBits(1)) {
      e.skipBits(2);
      let C = (e.readBits(2) + 1) << 2,
        _ = e.readBits(2) + 1;
      e.skipBits(_ * C);
    }
    for (let C = 0; C < u; C++) e.skipBits(s);
    (e.skipBits(9),
      e.skipBits(3),
      e.readBits(1) && e.skipBits(4),
      e.readBits(1) && e.skipBits(24),
      e.readBits(1) && e.skipBits(8 * (e.readBits(10) + 1)));
    let p = e.readBits(5) + 1,
      w = ls[e.readBits(4)],
      y = e.readBits(8) + 1,
      x = 0;
    if (e.readBits(1) && (y > 2 && e.skipBits(1), y > 6 && e.skipBits(1), e.readBits(1))) {
      let C = (e.readBits(2) + 1) << 2;
      x = e.readBits(C);
    }
    return c === 0 || e.getBitsLeft() < 0
      ? a
      : {
          frameSize: o,
          asset: {
            sampleRate: w,
            numberOfChannels: y,
            sampleCount: Math.round((l * w) / c),
            channelLayout: x,
            pcmResolution: p,
          },
        };
  };
var Fi = (t) => {
  let e = new Uint8Array(ts),
    r = Se(e);
  (r.setUint32(0, t.sampleRate), r.setUint32(4, t.bitRate), r.setUint32(8, t.bitRate), (e[12] = t.pcmResolution));
  let i = t.core && !t.hasExtensions ? 1 : 0,
    n = new B(e);
  return (
    n.seekToByte(13),
    n.writeBits(2, Math.max(ds.indexOf(t.sampleCount), 0)),
    n.writeBits(5, i),
    n.writeBits(1, t.core?.lfePresent ? 1 : 0),
    n.writeBits(6, t.core?.amode ?? 0),
    n.writeBits(14, t.core ? t.core.frameSize - 1 : 0),
    n.writeBits(1, 0),
    n.writeBits(3, 0),
    n.writeBits(16, t.channelLayout),
    n.writeBits(1, 0),
    n.writeBits(1, 0),
    n.writeBits(1, 0),
    n.writeBits(5, 0),
    e
  );
};
/*!
 * Copyright (c) 2026-present, Vanilagy and contributors
 *
 * This Source Code Form is subject to the terms of the Mozilla Public
 * License, v. 2.0. If a copy of the MPL was not distributed with this
 * file, You can obtain one at https://mozilla.org/MPL/2.0/.
 */ var H = ['avc', 'hevc', 'vp9', 'av1', 'vp8', 'prores'],
  W = [
    'pcm-s16',
    'pcm-s16be',
    'pcm-s24',
    'pcm-s24be',
    'pcm-s32',
    'pcm-s32be',
    'pcm-f32',
    'pcm-f32be',
    'pcm-f64',
    'pcm-f64be',
    'pcm-u8',
    'pcm-s8',
    'ulaw',
    'alaw',
  ],
  yt = ['aac', 'opus', 'mp3', 'vorbis', 'flac', 'ac3', 'eac3', 'dts'],
  _e = [...yt, ...W],
  de = ['webvtt'],
  wt = [
    { maxMacroblocks: 99, maxBitrate: 64e3, maxDpbMbs: 396, level: 10 },
    { maxMacroblocks: 396, maxBitrate: 192e3, maxDpbMbs: 900, level: 11 },
    { maxMacroblocks: 396, maxBitrate: 384e3, maxDpbMbs: 2376, level: 12 },
    { maxMacroblocks: 396, maxBitrate: 768e3, maxDpbMbs: 2376, level: 13 },
    { maxMacroblocks: 396, maxBitrate: 2e6, maxDpbMbs: 2376, level: 20 },
    { maxMacroblocks: 792, maxBitrate: 4e6, maxDpbMbs: 4752, level: 21 },
    { maxMacroblocks: 1620, maxBitrate: 4e6, maxDpbMbs: 8100, level: 22 },
    { maxMacroblocks: 1620, maxBitrate: 1e7, maxDpbMbs: 8100, level: 30 },
    { maxMacroblocks: 3600, maxBitrate: 14e6, maxDpbMbs: 18e3, level: 31 },
    { maxMacroblocks: 5120, maxBitrate: 2e7, maxDpbMbs: 20480, level: 32 },
    { maxMacroblocks: 8192, maxBitrate: 2e7, maxDpbMbs: 32768, level: 40 },
    { maxMacroblocks: 8192, maxBitrate: 5e7, maxDpbMbs: 32768, level: 41 },
    { maxMacroblocks: 8704, maxBitrate: 5e7, maxDpbMbs: 34816, level: 42 },
    { maxMacroblocks: 22080, maxBitrate: 135e6, maxDpbMbs: 110400, level: 50 },
    { maxMacroblocks: 36864, maxBitrate: 24e7, maxDpbMbs: 184320, level: 51 },
    { maxMacroblocks: 36864, maxBitrate: 24e7, maxDpbMbs: 184320, level: 52 },
    { maxMacroblocks: 139264, maxBitrate: 24e7, maxDpbMbs: 696320, level: 60 },
    { maxMacroblocks: 139264, maxBitrate: 48e7, maxDpbMbs: 696320, level: 61 },
    { maxMacroblocks: 139264, maxBitrate: 8e8, maxDpbMbs: 696320, level: 62 },
  ],
  Oi = [
    { maxPictureSize: 36864, maxBitrate: 128e3, tier: 'L', level: 30 },
    { maxPictureSize: 122880, maxBitrate: 15e5, tier: 'L', level: 60 },
    { maxPictureSize: 245760, maxBitrate: 3e6, tier: 'L', level: 63 },
    { maxPictureSize: 552960, maxBitrate: 6e6, tier: 'L', level: 90 },
    { maxPictureSize: 983040, maxBitrate: 1e7, tier: 'L', level: 93 },
    { maxPictureSize: 2228224, maxBitrate: 12e6, tier: 'L', level: 120 },
    { maxPictureSize: 2228224, maxBitrate: 3e7, tier: 'H', level: 120 },
    { maxPictureSize: 2228224, maxBitrate: 2e7, tier: 'L', level: 123 },
    { maxPictureSize: 2228224, maxBitrate: 5e7, tier: 'H', level: 123 },
    { maxPictureSize: 8912896, maxBitrate: 25e6, tier: 'L', level: 150 },
    { maxPictureSize: 8912896, maxBitrate: 1e8, tier: 'H', level: 150 },
    { maxPictureSize: 8912896, maxBitrate: 4e7, tier: 'L', level: 153 },
    { maxPictureSize: 8912896, maxBitrate: 16e7, tier: 'H', level: 153 },
    { maxPictureSize: 8912896, maxBitrate: 6e7, tier: 'L', level: 156 },
    { maxPictureSize: 8912896, maxBitrate: 24e7, tier: 'H', level: 156 },
    { maxPictureSize: 35651584, maxBitrate: 6e7, tier: 'L', level: 180 },
    { maxPictureSize: 35651584, maxBitrate: 24e7, tier: 'H', level: 180 },
    { maxPictureSize: 35651584, maxBitrate: 12e7, tier: 'L', level: 183 },
    { maxPictureSize: 35651584, maxBitrate: 48e7, tier: 'H', level: 183 },
    { maxPictureSize: 35651584, maxBitrate: 24e7, tier: 'L', level: 186 },
    { maxPictureSize: 35651584, maxBitrate: 8e8, tier: 'H', level: 186 },
  ],
  Ar = [
    { maxPictureSize: 36864, maxBitrate: 2e5, level: 10 },
    { maxPictureSize: 73728, maxBitrate: 8e5, level: 11 },
    { maxPictureSize: 122880, maxBitrate: 18e5, level: 20 },
    { maxPictureSize: 245760, maxBitrate: 36e5, level: 21 },
    { maxPictureSize: 552960, maxBitrate: 72e5, level: 30 },
    { maxPictureSize: 983040, maxBitrate: 12e6, level: 31 },
    { maxPictureSize: 2228224, maxBitrate: 18e6, level: 40 },
    { maxPictureSize: 2228224, maxBitrate: 3e7, level: 41 },
    { maxPictureSize: 8912896, maxBitrate: 6e7, level: 50 },
    { maxPictureSize: 8912896, maxBitrate: 12e7, level: 51 },
    { maxPictureSize: 8912896, maxBitrate: 18e7, level: 52 },
    { maxPictureSize: 35651584, maxBitrate: 18e7, level: 60 },
    { maxPictureSize: 35651584, maxBitrate: 24e7, level: 61 },
    { maxPictureSize: 35651584, maxBitrate: 48e7, level: 62 },
  ],
  Mi = [
    { maxPictureSize: 147456, maxBitrate: 15e5, tier: 'M', level: 0 },
    { maxPictureSize: 278784, maxBitrate: 3e6, tier: 'M', level: 1 },
    { maxPictureSize: 665856, maxBitrate: 6e6, tier: 'M', level: 4 },
    { maxPictureSize: 1065024, maxBitrate: 1e7, tier: 'M', level: 5 },
    { maxPictureSize: 2359296, maxBitrate: 12e6, tier: 'M', level: 8 },
    { maxPictureSize: 2359296, maxBitrate: 3e7, tier: 'H', level: 8 },
    { maxPictureSize: 2359296, maxBitrate: 2e7, tier: 'M', level: 9 },
    { maxPictureSize: 2359296, maxBitrate: 5e7, tier: 'H', level: 9 },
    { maxPictureSize: 8912896, maxBitrate: 3e7, tier: 'M', level: 12 },
    { maxPictureSize: 8912896, maxBitrate: 1e8, tier: 'H', level: 12 },
    { maxPictureSize: 8912896, maxBitrate: 4e7, tier: 'M', level: 13 },
    { maxPictureSize: 8912896, maxBitrate: 16e7, tier: 'H', level: 13 },
    { maxPictureSize: 8912896, maxBitrate: 6e7, tier: 'M', level: 14 },
    { maxPictureSize: 8912896, maxBitrate: 24e7, tier: 'H', level: 14 },
    { maxPictureSize: 35651584, maxBitrate: 6e7, tier: 'M', level: 15 },
    { maxPictureSize: 35651584, maxBitrate: 24e7, tier: 'H', level: 15 },
    { maxPictureSize: 35651584, maxBitrate: 6e7, tier: 'M', level: 16 },
    { maxPictureSize: 35651584, maxBitrate: 24e7, tier: 'H', level: 16 },
    { maxPictureSize: 35651584, maxBitrate: 1e8, tier: 'M', level: 17 },
    { maxPictureSize: 35651584, maxBitrate: 48e7, tier: 'H', level: 17 },
    { maxPictureSize: 35651584, maxBitrate: 16e7, tier: 'M', level: 18 },
    { maxPictureSize: 35651584, maxBitrate: 8e8, tier: 'H', level: 18 },
    { maxPictureSize: 35651584, maxBitrate: 16e7, tier: 'M', level: 19 },
    { maxPictureSize: 35651584, maxBitrate: 8e8, tier: 'H', level: 19 },
  ];
var At = ['ap4x', 'ap4h', 'apch', 'apcn', 'apcs', 'apco'],
  yr = ['dtsc', 'dtsh', 'dtsl', 'dtse'],
  hs = [
    { fourCc: 'apco', bitrate: 45e6, alpha: !1 },
    { fourCc: 'apcs', bitrate: 102e6, alpha: !1 },
    { fourCc: 'apcn', bitrate: 147e6, alpha: !1 },
    { fourCc: 'apch', bitrate: 22e7, alpha: !1 },
    { fourCc: 'ap4h', bitrate: 33e7, alpha: !0 },
    { fourCc: 'ap4x', bitrate: 5e8, alpha: !0 },
  ],
  Vi = (t, e, r, i, n) => {
    if (t === 'avc') {
      let o = Math.ceil(e / 16) * Math.ceil(r / 16),
        a = wt.find((h) => o <= h.maxMacroblocks && i <= h.maxBitrate) ?? z(wt),
        c = a ? a.level : 0,
        l = '64'.padStart(2, '0'),
        d = '00',
        u = c.toString(16).padStart(2, '0');
      return `avc1.${l}${d}${u}`;
    } else if (t === 'hevc') {
      let c = e * r,
        l = Oi.find((u) => c <= u.maxPictureSize && i <= u.maxBitrate) ?? z(Oi);
      return `hev1.1.6.${l.tier}${l.level}.B0`;
    } else {
      if (t === 'vp8') return 'vp8';
      if (t === 'vp9') {
        let o = e * r;
        return `vp09.00.${(Ar.find((l) => o <= l.maxPictureSize && i <= l.maxBitrate) ?? z(Ar)).level.toString().padStart(2, '0')}.08`;
      } else if (t === 'av1') {
        let o = e * r,
          a = Mi.find((d) => o <= d.maxPictureSize && i <= d.maxBitrate) ?? z(Mi);
        return `av01.0.${a.level.toString().padStart(2, '0')}${a.tier}.08`;
      } else if (t === 'prores') {
        let o = Math.pow((e * r) / 2073600, 0.95),
          a = hs.filter((d) => d.alpha === n),
          c = a[0].fourCc,
          l = 1 / 0;
        for (let { fourCc: d, bitrate: u } of a) {
          let h = Math.abs(u * o - i);
          h < l && ((l = h), (c = d));
        }
        return c;
      } else D(t);
    }
    throw new TypeError(`Unhandled codec '${String(t)}'.`);
  },
  Ui = (t) => {
    let e = t.split('.'),
      r = Number(e[1]),
      i = Number(e[2]),
      n = Number(e[3]),
      s = e[4] ? Number(e[4]) : 1;
    return [1, 1, r, 2, 1, i, 3, 1, n, 4, 1, s];
  },
  qt = (t) => {
    let e = t.split('.'),
      n = (1 << 7) + 1,
      s = Number(e[1]),
      o = e[2],
      a = Number(o.slice(0, -1)),
      c = (s << 5) + a,
      l = o.slice(-1) === 'H' ? 1 : 0,
      d = Number(e[3]),
      u = d === 8 ? 0 : 1,
      h = d === 12 ? 1 : 0,
      p = e[4] ? Number(e[4]) : 0,
      w = e[5] ? Number(e[5][0]) : 1,
      y = e[5] ? Number(e[5][1]) : 1,
      x = e[5] ? Number(e[5][2]) : 0,
      C = (l << 7) + (u << 6) + (h << 5) + (p << 4) + (w << 3) + (y << 2) + x;
    return [n, c, C, 0];
  };
var zi = 48e3,
  Di = /^pcm-([usf])(\d+)(be)?$/,
  re = (t) => {
    if ((f(W.includes(t)), t === 'ulaw'))
      return { dataType: 'ulaw', sampleSize: 1, littleEndian: !0, silentValue: 255 };
    if (t === 'alaw') return { dataType: 'alaw', sampleSize: 1, littleEndian: !0, silentValue: 213 };
    let e = Di.exec(t);
    f(e);
    let r;
    e[1] === 'u' ? (r = 'unsigned') : e[1] === 's' ? (r = 'signed') : (r = 'float');
    let i = Number(e[2]) / 8,
      n = e[3] !== 'be',
      s = t === 'pcm-u8' ? 2 ** 7 : 0;
    return { dataType: r, sampleSize: i, littleEndian: n, silentValue: s };
  },
  Lt = (t) =>
    t.startsWith('avc1') || t.startsWith('avc3')
      ? 'avc'
      : t.startsWith('hev1') || t.startsWith('hvc1')
        ? 'hevc'
        : t === 'vp8'
          ? 'vp8'
          : t.startsWith('vp09')
            ? 'vp9'
            : t.startsWith('av01')
              ? 'av1'
              : At.includes(t)
                ? 'prores'
                : t === 'mp3' || t === 'mp4a.69' || t === 'mp4a.6B' || t === 'mp4a.6b' || t === 'mp4a.40.34'
                  ? 'mp3'
                  : t.startsWith('mp4a.40.') || t === 'mp4a.67'
                    ? 'aac'
                    : t === 'opus' || t === 'Opus'
                      ? 'opus'
                      : t === 'vorbis'
                        ? 'vorbis'
                        : t === 'flac'
                          ? 'flac'
                          : t === 'ac-3' || t === 'ac3'
                            ? 'ac3'
                            : t === 'ec-3' || t === 'eac3'
                              ? 'eac3'
                              : yr.includes(t)
                                ? 'dts'
                                : t === 'ulaw'
                                  ? 'ulaw'
                                  : t === 'alaw'
                                    ? 'alaw'
                                    : Di.test(t)
                                      ? t
                                      : t === 'webvtt'
                                        ? 'webvtt'
                                        : null,
  Wi = (t) => (t === 'avc' ? { avc: { format: 'avc' } } : t === 'hevc' ? { hevc: { format: 'hevc' } } : {});
var ms = ['avc1', 'avc3', 'hev1', 'hvc1', 'vp8', 'vp09', 'av01', ...At],
  ps = /^(avc1|avc3)\.[0-9a-fA-F]{6}$/,
  gs = /^(hev1|hvc1)\.(?:[ABC]?\d+)\.[0-9a-fA-F]{1,8}\.[LH]\d+(?:\.[0-9a-fA-F]{1,2}){0,6}$/,
  ws = /^vp09(?:\.\d{2}){3}(?:(?:\.\d{2}){5})?$/,
  As = /^av01\.\d\.\d{2}[MH]\.\d{2}(?:\.\d\.\d{3}\.\d{2}\.\d{2}\.\d{2}\.\d)?$/,
  Xe = (t, e) => {
    if (!t) throw new TypeError('Video chunk metadata must be provided.');
    if (typeof t != 'object') throw new TypeError('Video chunk metadata must be an object.');
    if (!t.decoderConfig) throw new TypeError('Video chunk metadata must include a decoder configuration.');
    if (typeof t.decoderConfig != 'object')
      throw new TypeError('Video chunk metadata decoder configuration must be an object.');
    if (typeof t.decoderConfig.codec != 'string')
      throw new TypeError('Video chunk metadata decoder configuration must specify a codec string.');
    if (!ms.some((r) => t.decoderConfig.codec.startsWith(r)))
      throw new TypeError(
        'Video chunk metadata decoder configuration codec string must be a valid video codec string as specified in the Mediabunny Codec Registry.',
      );
    if (!Number.isInteger(t.decoderConfig.codedWidth) || t.decoderConfig.codedWidth <= 0)
      throw new TypeError(
        'Video chunk metadata decoder configuration must specify a valid codedWidth (positive integer).',
      );
    if (!Number.isInteger(t.decoderConfig.codedHeight) || t.decoderConfig.codedHeight <= 0)
      throw new TypeError(
        'Video chunk metadata decoder configuration must specify a valid codedHeight (positive integer).',
      );
    if (
      t.decoderConfig.displayAspectWidth !== void 0 &&
      (!Number.isInteger(t.decoderConfig.displayAspectWidth) || t.decoderConfig.displayAspectWidth <= 0)
    )
      throw new TypeError(
        'Video chunk metadata decoder configuration displayAspectWidth, when defined, must be a positive integer.',
      );
    if (
      t.decoderConfig.displayAspectHeight !== void 0 &&
      (!Number.isInteger(t.decoderConfig.displayAspectHeight) || t.decoderConfig.displayAspectHeight <= 0)
    )
      throw new TypeError(
        'Video chunk metadata decoder configuration displayAspectHeight, when defined, must be a positive integer.',
      );
    if ((t.decoderConfig.displayAspectWidth !== void 0) != (t.decoderConfig.displayAspectHeight !== void 0))
      throw new TypeError(
        'Video chunk metadata decoder configuration must specify both displayAspectWidth and displayAspectHeight, or neither.',
      );
    if (t.decoderConfig.description !== void 0 && !ft(t.decoderConfig.description))
      throw new TypeError(
        'Video chunk metadata decoder configuration description, when defined, must be an ArrayBuffer or an ArrayBuffer view.',
      );
    if (t.decoderConfig.colorSpace !== void 0) {
      let { colorSpace: r } = t.decoderConfig;
      if (typeof r != 'object')
        throw new TypeError('Video chunk metadata decoder configuration colorSpace, when provided, must be an object.');
      let i = Object.keys(we);
      if (r.primaries != null && !i.includes(r.primaries))
        throw new TypeError(
          `Video chunk metadata decoder configuration colorSpace primaries, when defined, must be one of ${i.join(', ')}.`,
        );
      let n = Object.keys(Ae);
      if (r.transfer != null && !n.includes(r.transfer))
        throw new TypeError(
          `Video chunk metadata decoder configuration colorSpace transfer, when defined, must be one of ${n.join(', ')}.`,
        );
      let s = Object.keys(ye);
      if (r.matrix != null && !s.includes(r.matrix))
        throw new TypeError(
          `Video chunk metadata decoder configuration colorSpace matrix, when defined, must be one of ${s.join(', ')}.`,
        );
      if (r.fullRange != null && typeof r.fullRange != 'boolean')
        throw new TypeError(
          'Video chunk metadata decoder configuration colorSpace fullRange, when defined, must be a boolean.',
        );
    }
    if (t.decoderConfig.codec.startsWith('avc1') || t.decoderConfig.codec.startsWith('avc3')) {
      if (!ps.test(t.decoderConfig.codec))
        throw new TypeError(
          'Video chunk metadata decoder configuration codec string for AVC must be a valid AVC codec string as specified in Section 3.4 of RFC 6381.',
        );
    } else if (t.decoderConfig.codec.startsWith('hev1') || t.decoderConfig.codec.startsWith('hvc1')) {
      if (!gs.test(t.decoderConfig.codec))
        throw new TypeError(
          'Video chunk metadata decoder configuration codec string for HEVC must be a valid HEVC codec string as specified in Section E.3 of ISO 14496-15.',
        );
    } else if (t.decoderConfig.codec.startsWith('vp8')) {
      if (t.decoderConfig.codec !== 'vp8')
        throw new TypeError('Video chunk metadata decoder configuration codec string for VP8 must be "vp8".');
    } else if (t.decoderConfig.codec.startsWith('vp09')) {
      if (!ws.test(t.decoderConfig.codec))
        throw new TypeError(
          'Video chunk metadata decoder configuration codec string for VP9 must be a valid VP9 codec string as specified in Section "Codecs Parameter String" of https://www.webmproject.org/vp9/mp4/.',
        );
    } else if (t.decoderConfig.codec.startsWith('av01')) {
      if (!As.test(t.decoderConfig.codec))
        throw new TypeError(
          'Video chunk metadata decoder configuration codec string for AV1 must be a valid AV1 codec string as specified in Section "Codecs Parameter String" of https://aomediacodec.github.io/av1-isobmff/.',
        );
    } else if (At.some((r) => t.decoderConfig.codec.startsWith(r)) && !At.some((r) => t.decoderConfig.codec === r))
      throw new TypeError(
        `Video chunk metadata decoder configuration codec string for ProRes must be one of the valid ProRes four-character codes: ${At.join(', ')}.`,
      );
    if (e !== null && Lt(t.decoderConfig.codec) !== e)
      throw new TypeError(
        `Video chunk metadata decoder configuration codec string '${t.decoderConfig.codec}' does not fit to the track codec '${e}'.`,
      );
  },
  ys = ['mp4a', 'mp3', 'opus', 'vorbis', 'flac', 'ulaw', 'alaw', 'pcm', 'ac-3', 'ec-3', 'dts'],
  Ye = (t, e) => {
    if (!t) throw new TypeError('Audio chunk metadata must be provided.');
    if (typeof t != 'object') throw new TypeError('Audio chunk metadata must be an object.');
    if (!t.decoderConfig) throw new TypeError('Audio chunk metadata must include a decoder configuration.');
    if (typeof t.decoderConfig != 'object')
      throw new TypeError('Audio chunk metadata decoder configuration must be an object.');
    if (typeof t.decoderConfig.codec != 'string')
      throw new TypeError('Audio chunk metadata decoder configuration must specify a codec string.');
    if (!ys.some((r) => t.decoderConfig.codec.startsWith(r)))
      throw new TypeError(
        'Audio chunk metadata decoder configuration codec string must be a valid audio codec string as specified in the Mediabunny Codec Registry.',
      );
    if (!Number.isInteger(t.decoderConfig.sampleRate) || t.decoderConfig.sampleRate <= 0)
      throw new TypeError(
        'Audio chunk metadata decoder configuration must specify a valid sampleRate (positive integer).',
      );
    if (!Number.isInteger(t.decoderConfig.numberOfChannels) || t.decoderConfig.numberOfChannels <= 0)
      throw new TypeError(
        'Audio chunk metadata decoder configuration must specify a valid numberOfChannels (positive integer).',
      );
    if (t.decoderConfig.description !== void 0 && !ft(t.decoderConfig.description))
      throw new TypeError(
        'Audio chunk metadata decoder configuration description, when defined, must be an ArrayBuffer or an ArrayBuffer view.',
      );
    if (
      t.decoderConfig.codec.startsWith('mp4a') &&
      t.decoderConfig.codec !== 'mp4a.69' &&
      t.decoderConfig.codec !== 'mp4a.6B' &&
      t.decoderConfig.codec !== 'mp4a.6b'
    ) {
      if (
        !['mp4a.40.2', 'mp4a.40.02', 'mp4a.40.5', 'mp4a.40.05', 'mp4a.40.29', 'mp4a.67'].includes(t.decoderConfig.codec)
      )
        throw new TypeError(
          'Audio chunk metadata decoder configuration codec string for AAC must be a valid AAC codec string as specified in https://www.w3.org/TR/webcodecs-aac-codec-registration/.',
        );
    } else if (t.decoderConfig.codec.startsWith('mp3') || t.decoderConfig.codec.startsWith('mp4a')) {
      if (
        t.decoderConfig.codec !== 'mp3' &&
        t.decoderConfig.codec !== 'mp4a.69' &&
        t.decoderConfig.codec !== 'mp4a.6B' &&
        t.decoderConfig.codec !== 'mp4a.6b'
      )
        throw new TypeError(
          'Audio chunk metadata decoder configuration codec string for MP3 must be "mp3", "mp4a.69" or "mp4a.6B".',
        );
    } else if (t.decoderConfig.codec.startsWith('opus')) {
      if (t.decoderConfig.codec !== 'opus')
        throw new TypeError('Audio chunk metadata decoder configuration codec string for Opus must be "opus".');
      if (t.decoderConfig.description && t.decoderConfig.description.byteLength < 18)
        throw new TypeError(
          'Audio chunk metadata decoder configuration description, when specified, is expected to be an Identification Header as specified in Section 5.1 of RFC 7845.',
        );
    } else if (t.decoderConfig.codec.startsWith('vorbis')) {
      if (t.decoderConfig.codec !== 'vorbis')
        throw new TypeError('Audio chunk metadata decoder configuration codec string for Vorbis must be "vorbis".');
      if (!t.decoderConfig.description)
        throw new TypeError(
          'Audio chunk metadata decoder configuration for Vorbis must include a description, which is expected to adhere to the format described in https://www.w3.org/TR/webcodecs-vorbis-codec-registration/.',
        );
    } else if (t.decoderConfig.codec.startsWith('flac')) {
      if (t.decoderConfig.codec !== 'flac')
        throw new TypeError('Audio chunk metadata decoder configuration codec string for FLAC must be "flac".');
      if (!t.decoderConfig.description || t.decoderConfig.description.byteLength < 42)
        throw new TypeError(
          'Audio chunk metadata decoder configuration for FLAC must include a description, which is expected to adhere to the format described in https://www.w3.org/TR/webcodecs-flac-codec-registration/.',
        );
    } else if (t.decoderConfig.codec.startsWith('ac-3') || t.decoderConfig.codec.startsWith('ac3')) {
      if (t.decoderConfig.codec !== 'ac-3')
        throw new TypeError('Audio chunk metadata decoder configuration codec string for AC-3 must be "ac-3".');
    } else if (t.decoderConfig.codec.startsWith('ec-3') || t.decoderConfig.codec.startsWith('eac3')) {
      if (t.decoderConfig.codec !== 'ec-3')
        throw new TypeError('Audio chunk metadata decoder configuration codec string for EC-3 must be "ec-3".');
    } else if (t.decoderConfig.codec.startsWith('dts')) {
      if (!yr.includes(t.decoderConfig.codec))
        throw new TypeError(
          `Audio chunk metadata decoder configuration codec string for DTS must be one of the following four-character codes: ${yr.join(', ')}.`,
        );
    } else if (
      (t.decoderConfig.codec.startsWith('pcm') ||
        t.decoderConfig.codec.startsWith('ulaw') ||
        t.decoderConfig.codec.startsWith('alaw')) &&
      !W.includes(t.decoderConfig.codec)
    )
      throw new TypeError(
        `Audio chunk metadata decoder configuration codec string for PCM must be one of the supported PCM codecs (${W.join(', ')}).`,
      );
    if (e !== null && Lt(t.decoderConfig.codec) !== e)
      throw new TypeError(
        `Audio chunk metadata decoder configuration codec string '${t.decoderConfig.codec}' does not fit to the track codec '${e}'.`,
      );
  },
  jt = (t) => {
    if (!t) throw new TypeError('Subtitle metadata must be provided.');
    if (typeof t != 'object') throw new TypeError('Subtitle metadata must be an object.');
    if (!t.config) throw new TypeError('Subtitle metadata must include a config object.');
    if (typeof t.config != 'object') throw new TypeError('Subtitle metadata config must be an object.');
    if (typeof t.config.description != 'string')
      throw new TypeError('Subtitle metadata config description must be a string.');
  };
/*!
 * Copyright (c) 2026-present, Vanilagy and contributors
 *
 * This Source Code Form is subject to the terms of the Mozilla Public
 * License, v. 2.0. If a copy of the MPL was not distributed with this
 * file, You can obtain one at https://mozilla.org/MPL/2.0/.
 */ var Ni = new Uint8Array(0),
  ve = class t {
    constructor(e, r, i, n, s = -1, o, a) {
      if (
        ((this.data = e),
        (this.type = r),
        (this.timestamp = i),
        (this.duration = n),
        (this.sequenceNumber = s),
        e === Ni && o === void 0)
      )
        throw new Error(
          'Internal error: byteLength must be explicitly provided when constructing metadata-only packets.',
        );
      if ((o === void 0 && (o = e.byteLength), !(e instanceof Uint8Array)))
        throw new TypeError('data must be a Uint8Array.');
      if (r !== 'key' && r !== 'delta') throw new TypeError('type must be either "key" or "delta".');
      if (!Number.isFinite(i)) throw new TypeError('timestamp must be a number.');
      if (!Number.isFinite(n) || n < 0) throw new TypeError('duration must be a non-negative number.');
      if (!Number.isFinite(s)) throw new TypeError('sequenceNumber must be a number.');
      if (!Number.isInteger(o) || o < 0) throw new TypeError('byteLength must be a non-negative integer.');
      if (a !== void 0 && (typeof a != 'object' || !a))
        throw new TypeError('sideData, when provided, must be an object.');
      if (a?.alpha !== void 0 && !(a.alpha instanceof Uint8Array))
        throw new TypeError('sideData.alpha, when provided, must be a Uint8Array.');
      if (a?.alphaByteLength !== void 0 && (!Number.isInteger(a.alphaByteLength) || a.alphaByteLength < 0))
        throw new TypeError('sideData.alphaByteLength, when provided, must be a non-negative integer.');
      ((this.byteLength = o),
        (this.sideData = a ?? {}),
        this.sideData.alpha &&
          this.sideData.alphaByteLength === void 0 &&
          (this.sideData.alphaByteLength = this.sideData.alpha.byteLength));
    }
    get isMetadataOnly() {
      return this.data === Ni;
    }
    get microsecondTimestamp() {
      return Math.trunc(Ee * this.timestamp);
    }
    get microsecondDuration() {
      return Math.trunc(Ee * this.duration);
    }
    toEncodedVideoChunk() {
      if (this.isMetadataOnly) throw new TypeError('Metadata-only packets cannot be converted to a video chunk.');
      if (typeof EncodedVideoChunk > 'u') throw new Error('EncodedVideoChunk is not available in this environment.');
      return new EncodedVideoChunk({
        data: this.data,
        type: this.type,
        timestamp: this.microsecondTimestamp,
        duration: this.microsecondDuration,
      });
    }
    alphaToEncodedVideoChunk(e = this.type) {
      if (!this.sideData.alpha) throw new TypeError('This packet does not contain alpha side data.');
      if (this.isMetadataOnly) throw new TypeError('Metadata-only packets cannot be converted to a video chunk.');
      if (typeof EncodedVideoChunk > 'u') throw new Error('EncodedVideoChunk is not available in this environment.');
      return new EncodedVideoChunk({
        data: this.sideData.alpha,
        type: e,
        timestamp: this.microsecondTimestamp,
        duration: this.microsecondDuration,
      });
    }
    toEncodedAudioChunk() {
      if (this.isMetadataOnly) throw new TypeError('Metadata-only packets cannot be converted to an audio chunk.');
      if (typeof EncodedAudioChunk > 'u') throw new Error('EncodedAudioChunk is not available in this environment.');
      return new EncodedAudioChunk({
        data: this.data,
        type: this.type,
        timestamp: this.microsecondTimestamp,
        duration: this.microsecondDuration,
      });
    }
    static fromEncodedChunk(e, r) {
      if (!(e instanceof EncodedVideoChunk || e instanceof EncodedAudioChunk))
        throw new TypeError('chunk must be an EncodedVideoChunk or EncodedAudioChunk.');
      let i = new Uint8Array(e.byteLength);
      return (e.copyTo(i), new t(i, e.type, e.timestamp / 1e6, (e.duration ?? 0) / 1e6, void 0, void 0, r));
    }
    clone(e) {
      if (e !== void 0 && (typeof e != 'object' || e === null))
        throw new TypeError('options, when provided, must be an object.');
      if (e?.data !== void 0 && !(e.data instanceof Uint8Array))
        throw new TypeError('options.data, when provided, must be a Uint8Array.');
      if (e?.type !== void 0 && e.type !== 'key' && e.type !== 'delta')
        throw new TypeError('options.type, when provided, must be either "key" or "delta".');
      if (e?.timestamp !== void 0 && !Number.isFinite(e.timestamp))
        throw new TypeError('options.timestamp, when provided, must be a number.');
      if (e?.duration !== void 0 && !Number.isFinite(e.duration))
        throw new TypeError('options.duration, when provided, must be a number.');
      if (e?.sequenceNumber !== void 0 && !Number.isFinite(e.sequenceNumber))
        throw new TypeError('options.sequenceNumber, when provided, must be a number.');
      if (e?.sideData !== void 0 && (typeof e.sideData != 'object' || e.sideData === null))
        throw new TypeError('options.sideData, when provided, must be an object.');
      return new t(
        e?.data ?? this.data,
        e?.type ?? this.type,
        e?.timestamp ?? this.timestamp,
        e?.duration ?? this.duration,
        e?.sequenceNumber ?? this.sequenceNumber,
        this.byteLength,
        e?.sideData ?? this.sideData,
      );
    }
  };
/*!
 * Copyright (c) 2026-present, Vanilagy and contributors
 *
 * This Source Code Form is subject to the terms of the Mozilla Public
 * License, v. 2.0. If a copy of the MPL was not distributed with this
 * file, You can obtain one at https://mozilla.org/MPL/2.0/.
 */ var Hi = (t) => {
  let r = (t.hasVideo ? 'video/' : t.hasAudio ? 'audio/' : 'application/') + (t.isQuickTime ? 'quicktime' : 'mp4');
  if (t.codecStrings.length > 0) {
    let i = [...new Set(t.codecStrings)];
    r += `; codecs="${i.join(', ')}"`;
  }
  return r;
};
/*!
 * Copyright (c) 2026-present, Vanilagy and contributors
 *
 * This Source Code Form is subject to the terms of the Mozilla Public
 * License, v. 2.0. If a copy of the MPL was not distributed with this
 * file, You can obtain one at https://mozilla.org/MPL/2.0/.
 */ var Qt = 8,
  br = 16;
/*!
 * Copyright (c) 2026-present, Vanilagy and contributors
 *
 * This Source Code Form is subject to the terms of the Mozilla Public
 * License, v. 2.0. If a copy of the MPL was not distributed with this
 * file, You can obtain one at https://mozilla.org/MPL/2.0/.
 */ var ke = class {
    constructor(e) {
      this.value = e;
    }
  },
  Ze = class {
    constructor(e) {
      this.value = e;
    }
  },
  bt = class {
    constructor(e) {
      this.value = e;
    }
  },
  ie = class {
    constructor(e) {
      this.value = e;
    }
  },
  m;
(function (t) {
  ((t[(t.EBML = 440786851)] = 'EBML'),
    (t[(t.EBMLVersion = 17030)] = 'EBMLVersion'),
    (t[(t.EBMLReadVersion = 17143)] = 'EBMLReadVersion'),
    (t[(t.EBMLMaxIDLength = 17138)] = 'EBMLMaxIDLength'),
    (t[(t.EBMLMaxSizeLength = 17139)] = 'EBMLMaxSizeLength'),
    (t[(t.DocType = 17026)] = 'DocType'),
    (t[(t.DocTypeVersion = 17031)] = 'DocTypeVersion'),
    (t[(t.DocTypeReadVersion = 17029)] = 'DocTypeReadVersion'),
    (t[(t.Void = 236)] = 'Void'),
    (t[(t.Segment = 408125543)] = 'Segment'),
    (t[(t.SeekHead = 290298740)] = 'SeekHead'),
    (t[(t.Seek = 19899)] = 'Seek'),
    (t[(t.SeekID = 21419)] = 'SeekID'),
    (t[(t.SeekPosition = 21420)] = 'SeekPosition'),
    (t[(t.Duration = 17545)] = 'Duration'),
    (t[(t.Info = 357149030)] = 'Info'),
    (t[(t.TimestampScale = 2807729)] = 'TimestampScale'),
    (t[(t.MuxingApp = 19840)] = 'MuxingApp'),
    (t[(t.WritingApp = 22337)] = 'WritingApp'),
    (t[(t.Tracks = 374648427)] = 'Tracks'),
    (t[(t.TrackEntry = 174)] = 'TrackEntry'),
    (t[(t.TrackNumber = 215)] = 'TrackNumber'),
    (t[(t.TrackUID = 29637)] = 'TrackUID'),
    (t[(t.TrackType = 131)] = 'TrackType'),
    (t[(t.FlagEnabled = 185)] = 'FlagEnabled'),
    (t[(t.FlagDefault = 136)] = 'FlagDefault'),
    (t[(t.FlagForced = 21930)] = 'FlagForced'),
    (t[(t.FlagOriginal = 21934)] = 'FlagOriginal'),
    (t[(t.FlagHearingImpaired = 21931)] = 'FlagHearingImpaired'),
    (t[(t.FlagVisualImpaired = 21932)] = 'FlagVisualImpaired'),
    (t[(t.FlagCommentary = 21935)] = 'FlagCommentary'),
    (t[(t.FlagLacing = 156)] = 'FlagLacing'),
    (t[(t.Name = 21358)] = 'Name'),
    (t[(t.Language = 2274716)] = 'Language'),
    (t[(t.LanguageBCP47 = 2274717)] = 'LanguageBCP47'),
    (t[(t.CodecID = 134)] = 'CodecID'),
    (t[(t.CodecPrivate = 25506)] = 'CodecPrivate'),
    (t[(t.CodecDelay = 22186)] = 'CodecDelay'),
    (t[(t.SeekPreRoll = 22203)] = 'SeekPreRoll'),
    (t[(t.DefaultDuration = 2352003)] = 'DefaultDuration'),
    (t[(t.Video = 224)] = 'Video'),
    (t[(t.PixelWidth = 176)] = 'PixelWidth'),
    (t[(t.PixelHeight = 186)] = 'PixelHeight'),
    (t[(t.DisplayWidth = 21680)] = 'DisplayWidth'),
    (t[(t.DisplayHeight = 21690)] = 'DisplayHeight'),
    (t[(t.DisplayUnit = 21682)] = 'DisplayUnit'),
    (t[(t.AlphaMode = 21440)] = 'AlphaMode'),
    (t[(t.Audio = 225)] = 'Audio'),
    (t[(t.SamplingFrequency = 181)] = 'SamplingFrequency'),
    (t[(t.Channels = 159)] = 'Channels'),
    (t[(t.BitDepth = 25188)] = 'BitDepth'),
    (t[(t.SimpleBlock = 163)] = 'SimpleBlock'),
    (t[(t.BlockGroup = 160)] = 'BlockGroup'),
    (t[(t.Block = 161)] = 'Block'),
    (t[(t.BlockAdditions = 30113)] = 'BlockAdditions'),
    (t[(t.BlockMore = 166)] = 'BlockMore'),
    (t[(t.BlockAdditional = 165)] = 'BlockAdditional'),
    (t[(t.BlockAddID = 238)] = 'BlockAddID'),
    (t[(t.BlockDuration = 155)] = 'BlockDuration'),
    (t[(t.ReferenceBlock = 251)] = 'ReferenceBlock'),
    (t[(t.Cluster = 524531317)] = 'Cluster'),
    (t[(t.Timestamp = 231)] = 'Timestamp'),
    (t[(t.Cues = 475249515)] = 'Cues'),
    (t[(t.CuePoint = 187)] = 'CuePoint'),
    (t[(t.CueTime = 179)] = 'CueTime'),
    (t[(t.CueTrackPositions = 183)] = 'CueTrackPositions'),
    (t[(t.CueTrack = 247)] = 'CueTrack'),
    (t[(t.CueClusterPosition = 241)] = 'CueClusterPosition'),
    (t[(t.Colour = 21936)] = 'Colour'),
    (t[(t.MatrixCoefficients = 21937)] = 'MatrixCoefficients'),
    (t[(t.TransferCharacteristics = 21946)] = 'TransferCharacteristics'),
    (t[(t.Primaries = 21947)] = 'Primaries'),
    (t[(t.Range = 21945)] = 'Range'),
    (t[(t.Projection = 30320)] = 'Projection'),
    (t[(t.ProjectionType = 30321)] = 'ProjectionType'),
    (t[(t.ProjectionPoseYaw = 30323)] = 'ProjectionPoseYaw'),
    (t[(t.ProjectionPosePitch = 30324)] = 'ProjectionPosePitch'),
    (t[(t.ProjectionPoseRoll = 30325)] = 'ProjectionPoseRoll'),
    (t[(t.Attachments = 423732329)] = 'Attachments'),
    (t[(t.AttachedFile = 24999)] = 'AttachedFile'),
    (t[(t.FileDescription = 18046)] = 'FileDescription'),
    (t[(t.FileName = 18030)] = 'FileName'),
    (t[(t.FileMediaType = 18016)] = 'FileMediaType'),
    (t[(t.FileData = 18012)] = 'FileData'),
    (t[(t.FileUID = 18094)] = 'FileUID'),
    (t[(t.Chapters = 272869232)] = 'Chapters'),
    (t[(t.Tags = 307544935)] = 'Tags'),
    (t[(t.Tag = 29555)] = 'Tag'),
    (t[(t.Targets = 25536)] = 'Targets'),
    (t[(t.TargetTypeValue = 26826)] = 'TargetTypeValue'),
    (t[(t.TargetType = 25546)] = 'TargetType'),
    (t[(t.TagTrackUID = 25541)] = 'TagTrackUID'),
    (t[(t.TagEditionUID = 25545)] = 'TagEditionUID'),
    (t[(t.TagChapterUID = 25540)] = 'TagChapterUID'),
    (t[(t.TagAttachmentUID = 25542)] = 'TagAttachmentUID'),
    (t[(t.SimpleTag = 26568)] = 'SimpleTag'),
    (t[(t.TagName = 17827)] = 'TagName'),
    (t[(t.TagLanguage = 17530)] = 'TagLanguage'),
    (t[(t.TagString = 17543)] = 'TagString'),
    (t[(t.TagBinary = 17541)] = 'TagBinary'),
    (t[(t.ContentEncodings = 28032)] = 'ContentEncodings'),
    (t[(t.ContentEncoding = 25152)] = 'ContentEncoding'),
    (t[(t.ContentEncodingOrder = 20529)] = 'ContentEncodingOrder'),
    (t[(t.ContentEncodingScope = 20530)] = 'ContentEncodingScope'),
    (t[(t.ContentCompression = 20532)] = 'ContentCompression'),
    (t[(t.ContentCompAlgo = 16980)] = 'ContentCompAlgo'),
    (t[(t.ContentCompSettings = 16981)] = 'ContentCompSettings'),
    (t[(t.ContentEncryption = 20533)] = 'ContentEncryption'));
})(m || (m = {}));
var bs = [m.EBML, m.Segment],
  Ts = [m.SeekHead, m.Info, m.Cluster, m.Tracks, m.Cues, m.Attachments, m.Chapters, m.Tags],
  Oa = [...bs, ...Ts],
  qi = (t) => (t < 256 ? 1 : t < 65536 ? 2 : t < 1 << 24 ? 3 : t < 2 ** 32 ? 4 : t < 2 ** 40 ? 5 : 6),
  Li = (t) =>
    t < 1n << 8n
      ? 1
      : t < 1n << 16n
        ? 2
        : t < 1n << 24n
          ? 3
          : t < 1n << 32n
            ? 4
            : t < 1n << 40n
              ? 5
              : t < 1n << 48n
                ? 6
                : t < 1n << 56n
                  ? 7
                  : 8,
  ji = (t) =>
    t >= -64 && t < 64
      ? 1
      : t >= -8192 && t < 8192
        ? 2
        : t >= -(1 << 20) && t < 1 << 20
          ? 3
          : t >= -(1 << 27) && t < 1 << 27
            ? 4
            : t >= -(2 ** 34) && t < 2 ** 34
              ? 5
              : 6,
  xs = (t) => {
    if (t < 127) return 1;
    if (t < 16383) return 2;
    if (t < (1 << 21) - 1) return 3;
    if (t < (1 << 28) - 1) return 4;
    if (t < 2 ** 35 - 1) return 5;
    if (t < 2 ** 42 - 1) return 6;
    throw new Error('EBML varint size not supported ' + t);
  },
  $t = class {
    constructor(e) {
      ((this.writer = e),
        (this.helper = new Uint8Array(8)),
        (this.helperView = new DataView(this.helper.buffer)),
        (this.offsets = new WeakMap()),
        (this.dataOffsets = new WeakMap()));
    }
    writeByte(e) {
      (this.helperView.setUint8(0, e), this.writer.write(this.helper.subarray(0, 1)));
    }
    writeFloat32(e) {
      (this.helperView.setFloat32(0, e, !1), this.writer.write(this.helper.subarray(0, 4)));
    }
    writeFloat64(e) {
      (this.helperView.setFloat64(0, e, !1), this.writer.write(this.helper));
    }
    writeUnsignedInt(e, r = qi(e)) {
      let i = 0;
      switch (r) {
        case 6:
          this.helperView.setUint8(i++, (e / 2 ** 40) | 0);
        case 5:
          this.helperView.setUint8(i++, (e / 2 ** 32) | 0);
        case 4:
          this.helperView.setUint8(i++, e >> 24);
        case 3:
          this.helperView.setUint8(i++, e >> 16);
        case 2:
          this.helperView.setUint8(i++, e >> 8);
        case 1:
          this.helperView.setUint8(i++, e);
          break;
        default:
          throw new Error('Bad unsigned int size ' + r);
      }
      this.writer.write(this.helper.subarray(0, i));
    }
    writeUnsignedBigInt(e, r = Li(e)) {
      let i = 0;
      for (let n = r - 1; n >= 0; n--) this.helperView.setUint8(i++, Number((e >> BigInt(n * 8)) & 0xffn));
      this.writer.write(this.helper.subarray(0, i));
    }
    writeSignedInt(e, r = ji(e)) {
      (e < 0 && (e += 2 ** (r * 8)), this.writeUnsignedInt(e, r));
    }
    writeVarInt(e, r = xs(e)) {
      let i = 0;
      switch (r) {
        case 1:
          this.helperView.setUint8(i++, 128 | e);
          break;
        case 2:
          (this.helperView.setUint8(i++, 64 | (e >> 8)), this.helperView.setUint8(i++, e));
          break;
        case 3:
          (this.helperView.setUint8(i++, 32 | (e >> 16)),
            this.helperView.setUint8(i++, e >> 8),
            this.helperView.setUint8(i++, e));
          break;
        case 4:
          (this.helperView.setUint8(i++, 16 | (e >> 24)),
            this.helperView.setUint8(i++, e >> 16),
            this.helperView.setUint8(i++, e >> 8),
            this.helperView.setUint8(i++, e));
          break;
        case 5:
          (this.helperView.setUint8(i++, 8 | ((e / 2 ** 32) & 7)),
            this.helperView.setUint8(i++, e >> 24),
            this.helperView.setUint8(i++, e >> 16),
            this.helperView.setUint8(i++, e >> 8),
            this.helperView.setUint8(i++, e));
          break;
        case 6:
          (this.helperView.setUint8(i++, 4 | ((e / 2 ** 40) & 3)),
            this.helperView.setUint8(i++, (e / 2 ** 32) | 0),
            this.helperView.setUint8(i++, e >> 24),
            this.helperView.setUint8(i++, e >> 16),
            this.helperView.setUint8(i++, e >> 8),
            this.helperView.setUint8(i++, e));
          break;
        default:
          throw new Error('Bad EBML varint size ' + r);
      }
      this.writer.write(this.helper.subarray(0, i));
    }
    writeAsciiString(e) {
      this.writer.write(new Uint8Array(e.split('').map((r) => r.charCodeAt(0))));
    }
    writeEBML(e) {
      if (e !== null)
        if (e instanceof Uint8Array) this.writer.write(e);
        else if (Array.isArray(e)) for (let r of e) this.writeEBML(r);
        else if ((this.offsets.set(e, this.writer.getPos()), this.writeUnsignedInt(e.id), Array.isArray(e.data))) {
          let r = this.writer.getPos(),
            i = e.size === -1 ? 1 : (e.size ?? 4);
          e.size === -1 ? this.writeByte(255) : this.writer.seek(this.writer.getPos() + i);
          let n = this.writer.getPos();
          if ((this.dataOffsets.set(e, n), this.writeEBML(e.data), e.size !== -1)) {
            let s = this.writer.getPos() - n,
              o = this.writer.getPos();
            (this.writer.seek(r), this.writeVarInt(s, i), this.writer.seek(o));
          }
        } else if (typeof e.data == 'number') {
          let r = e.size ?? qi(e.data);
          (this.writeVarInt(r), this.writeUnsignedInt(e.data, r));
        } else if (typeof e.data == 'bigint') {
          let r = e.size ?? Li(e.data);
          (this.writeVarInt(r), this.writeUnsignedBigInt(e.data, r));
        } else if (typeof e.data == 'string') (this.writeVarInt(e.data.length), this.writeAsciiString(e.data));
        else if (e.data instanceof Uint8Array) (this.writeVarInt(e.data.byteLength, e.size), this.writer.write(e.data));
        else if (e.data instanceof ke) (this.writeVarInt(4), this.writeFloat32(e.data.value));
        else if (e.data instanceof Ze) (this.writeVarInt(8), this.writeFloat64(e.data.value));
        else if (e.data instanceof bt) {
          let r = e.size ?? ji(e.data.value);
          (this.writeVarInt(r), this.writeSignedInt(e.data.value, r));
        } else if (e.data instanceof ie) {
          let r = O.encode(e.data.value);
          (this.writeVarInt(r.length), this.writer.write(r));
        } else D(e.data);
    }
  },
  Cs = 8;
var Ma = 2 * Cs;
var Qi = {
  avc: 'V_MPEG4/ISO/AVC',
  hevc: 'V_MPEGH/ISO/HEVC',
  vp8: 'V_VP8',
  vp9: 'V_VP9',
  av1: 'V_AV1',
  prores: 'V_PRORES',
  aac: 'A_AAC',
  mp3: 'A_MPEG/L3',
  opus: 'A_OPUS',
  vorbis: 'A_VORBIS',
  flac: 'A_FLAC',
  ac3: 'A_AC3',
  eac3: 'A_EAC3',
  dts: 'A_DTS',
  'pcm-u8': 'A_PCM/INT/LIT',
  'pcm-s16': 'A_PCM/INT/LIT',
  'pcm-s16be': 'A_PCM/INT/BIG',
  'pcm-s24': 'A_PCM/INT/LIT',
  'pcm-s24be': 'A_PCM/INT/BIG',
  'pcm-s32': 'A_PCM/INT/LIT',
  'pcm-s32be': 'A_PCM/INT/BIG',
  'pcm-f32': 'A_PCM/FLOAT/IEEE',
  'pcm-f64': 'A_PCM/FLOAT/IEEE',
  webvtt: 'S_TEXT/WEBVTT',
};
/*!
 * Copyright (c) 2026-present, Vanilagy and contributors
 *
 * This Source Code Form is subject to the terms of the Mozilla Public
 * License, v. 2.0. If a copy of the MPL was not distributed with this
 * file, You can obtain one at https://mozilla.org/MPL/2.0/.
 */ var $i = (t) => {
  let r = (t.hasVideo ? 'video/' : t.hasAudio ? 'audio/' : 'application/') + (t.isWebM ? 'webm' : 'x-matroska');
  if (t.codecStrings.length > 0) {
    let i = [...new Set(t.codecStrings.filter(Boolean))];
    r += `; codecs="${i.join(', ')}"`;
  }
  return r;
};
/*!
 * Copyright (c) 2026-present, Vanilagy and contributors
 *
 * This Source Code Form is subject to the terms of the Mozilla Public
 * License, v. 2.0. If a copy of the MPL was not distributed with this
 * file, You can obtain one at https://mozilla.org/MPL/2.0/.
 */ var Gt = 7,
  Kt = 9,
  Je = (t) => {
    let e = t.filePos,
      r = Gi(t, 9),
      i = new B(r);
    if (i.readBits(12) !== 4095 || (i.skipBits(1), i.readBits(2) !== 0)) return null;
    let o = i.readBits(1),
      a = i.readBits(2) + 1,
      c = i.readBits(4);
    if (c === 15) return null;
    i.skipBits(1);
    let l = i.readBits(3);
    if (l === 0) throw new Error('ADTS frames with channel configuration 0 are not supported.');
    (i.skipBits(1), i.skipBits(1), i.skipBits(1), i.skipBits(1));
    let d = i.readBits(13);
    i.skipBits(11);
    let u = i.readBits(2) + 1;
    if (u !== 1) throw new Error('ADTS frames with more than one AAC frame are not supported.');
    let h = null;
    return (
      o === 1 ? (t.filePos -= 2) : (h = i.readBits(16)),
      {
        objectType: a,
        samplingFrequencyIndex: c,
        channelConfiguration: l,
        frameLength: d,
        numberOfAacFrames: u,
        crcCheck: h,
        startPos: e,
      }
    );
  };
/*!
 * Copyright (c) 2026-present, Vanilagy and contributors
 *
 * This Source Code Form is subject to the terms of the Mozilla Public
 * License, v. 2.0. If a copy of the MPL was not distributed with this
 * file, You can obtain one at https://mozilla.org/MPL/2.0/.
 */ var Es = function (t, e, r) {
    if (e != null) {
      if (typeof e != 'object' && typeof e != 'function') throw new TypeError('Object expected.');
      var i, n;
      if (r) {
        if (!Symbol.asyncDispose) throw new TypeError('Symbol.asyncDispose is not defined.');
        i = e[Symbol.asyncDispose];
      }
      if (i === void 0) {
        if (!Symbol.dispose) throw new TypeError('Symbol.dispose is not defined.');
        ((i = e[Symbol.dispose]), r && (n = i));
      }
      if (typeof i != 'function') throw new TypeError('Object not disposable.');
      (n &&
        (i = function () {
          try {
            n.call(this);
          } catch (s) {
            return Promise.reject(s);
          }
        }),
        t.stack.push({ value: e, dispose: i, async: r }));
    } else r && t.stack.push({ async: !0 });
    return e;
  },
  _s = (function (t) {
    return function (e) {
      function r(o) {
        ((e.error = e.hasError ? new t(o, e.error, 'An error was suppressed during disposal.') : o), (e.hasError = !0));
      }
      var i,
        n = 0;
      function s() {
        for (; (i = e.stack.pop());)
          try {
            if (!i.async && n === 1) return ((n = 0), e.stack.push(i), Promise.resolve().then(s));
            if (i.dispose) {
              var o = i.dispose.call(i.value);
              if (i.async)
                return (
                  (n |= 2),
                  Promise.resolve(o).then(s, function (a) {
                    return (r(a), s());
                  })
                );
            } else n |= 1;
          } catch (a) {
            r(a);
          }
        if (n === 1) return e.hasError ? Promise.reject(e.error) : Promise.resolve();
        if (e.hasError) throw e.error;
      }
      return s();
    };
  })(
    typeof SuppressedError == 'function'
      ? SuppressedError
      : function (t, e, r) {
          var i = new Error(r);
          return ((i.name = 'SuppressedError'), (i.error = t), (i.suppressed = e), i);
        },
  );
ni();
var Ki = -1 / 0,
  Xi = -1 / 0,
  Tr = null;
typeof FinalizationRegistry < 'u' &&
  (Tr = new FinalizationRegistry((t) => {
    let e = performance.now();
    t.type === 'video'
      ? (e - Ki >= 1e3 &&
          (R._error(
            "A VideoSample was garbage collected without first being closed. For proper resource management, make sure to call close() on all your VideoSamples as soon as you're done using them.",
          ),
          (Ki = e)),
        typeof VideoFrame < 'u' && t.data instanceof VideoFrame && t.data.close())
      : (e - Xi >= 1e3 &&
          (R._error(
            "An AudioSample was garbage collected without first being closed. For proper resource management, make sure to call close() on all your AudioSamples as soon as you're done using them.",
          ),
          (Xi = e)),
        typeof AudioData < 'u' && t.data instanceof AudioData && t.data.close());
  }));
var Te = class {
    constructor() {
      ((this._referenceCount = 0), (this._lastAllocationBuffer = null));
    }
  },
  xr = [
    'I420',
    'I420P10',
    'I420P12',
    'I420A',
    'I420AP10',
    'I420AP12',
    'I422',
    'I422P10',
    'I422P12',
    'I422A',
    'I422AP10',
    'I422AP12',
    'I444',
    'I444P10',
    'I444P12',
    'I444A',
    'I444AP10',
    'I444AP12',
    'NV12',
    'RGBA',
    'RGBX',
    'BGRA',
    'BGRX',
  ],
  vs = new Set(xr),
  Be = class t {
    get codedWidth() {
      return this.visibleRect.width;
    }
    get codedHeight() {
      return this.visibleRect.height;
    }
    get displayWidth() {
      return this.rotation % 180 === 0 ? this.squarePixelWidth : this.squarePixelHeight;
    }
    get displayHeight() {
      return this.rotation % 180 === 0 ? this.squarePixelHeight : this.squarePixelWidth;
    }
    get microsecondTimestamp() {
      return Math.trunc(Ee * this.timestamp);
    }
    get microsecondDuration() {
      return Math.trunc(Ee * this.duration);
    }
    get hasAlpha() {
      return this.format && this.format.includes('A');
    }
    constructor(e, r) {
      if (
        ((this._closed = !1),
        e instanceof ArrayBuffer ||
          (typeof SharedArrayBuffer < 'u' && e instanceof SharedArrayBuffer) ||
          ArrayBuffer.isView(e))
      ) {
        if (!r || typeof r != 'object') throw new TypeError('init must be an object.');
        if (r.format === void 0 || !vs.has(r.format))
          throw new TypeError('init.format must be one of: ' + xr.join(', '));
        if (!Number.isInteger(r.codedWidth) || r.codedWidth <= 0)
          throw new TypeError('init.codedWidth must be a positive integer.');
        if (!Number.isInteger(r.codedHeight) || r.codedHeight <= 0)
          throw new TypeError('init.codedHeight must be a positive integer.');
        if (r.rotation !== void 0 && ![0, 90, 180, 270].includes(r.rotation))
          throw new TypeError('init.rotation, when provided, must be 0, 90, 180, or 270.');
        if (r.flip !== void 0 && typeof r.flip != 'boolean')
          throw new TypeError('init.flip, when provided, must be a boolean.');
        if (!Number.isFinite(r.timestamp)) throw new TypeError('init.timestamp must be a number.');
        if (r.duration !== void 0 && (!Number.isFinite(r.duration) || r.duration < 0))
          throw new TypeError('init.duration, when provided, must be a non-negative number.');
        if (r.layout !== void 0) {
          if (!Array.isArray(r.layout)) throw new TypeError('init.layout, when provided, must be an array.');
          for (let s of r.layout) {
            if (!s || typeof s != 'object' || Array.isArray(s))
              throw new TypeError('Each entry in init.layout must be an object.');
            if (!Number.isInteger(s.offset) || s.offset < 0)
              throw new TypeError('plane.offset must be a non-negative integer.');
            if (!Number.isInteger(s.stride) || s.stride < 0)
              throw new TypeError('plane.stride must be a non-negative integer.');
          }
        }
        if (
          (r.visibleRect !== void 0 && zt(r.visibleRect, 'init.visibleRect'),
          r.displayWidth !== void 0 && (!Number.isInteger(r.displayWidth) || r.displayWidth <= 0))
        )
          throw new TypeError('init.displayWidth, when provided, must be a positive integer.');
        if (r.displayHeight !== void 0 && (!Number.isInteger(r.displayHeight) || r.displayHeight <= 0))
          throw new TypeError('init.displayHeight, when provided, must be a positive integer.');
        if ((r.displayWidth !== void 0) != (r.displayHeight !== void 0))
          throw new TypeError('init.displayWidth and init.displayHeight must be either both provided or both omitted.');
        ((this.format = r.format),
          (this.rotation = r.rotation ?? 0),
          (this.flip = r.flip ?? !1),
          (this.timestamp = r.timestamp),
          (this.duration = r.duration ?? 0));
        let i = r.layout ?? Ps(r.format, r.codedWidth, r.codedHeight),
          n = r.colorSpace ?? null;
        (n === null &&
          (this.format === 'RGBA' || this.format === 'RGBX' || this.format === 'BGRA' || this.format === 'BGRX'
            ? (n = { primaries: 'bt709', transfer: 'iec61966-2-1', matrix: 'rgb', fullRange: !0 })
            : (n = { primaries: 'bt709', transfer: 'bt709', matrix: 'bt709', fullRange: !1 })),
          (this.visibleRect = {
            left: r.visibleRect?.left ?? 0,
            top: r.visibleRect?.top ?? 0,
            width: r.visibleRect?.width ?? r.codedWidth,
            height: r.visibleRect?.height ?? r.codedHeight,
          }),
          r.displayWidth !== void 0
            ? ((this.squarePixelWidth = this.rotation % 180 === 0 ? r.displayWidth : r.displayHeight),
              (this.squarePixelHeight = this.rotation % 180 === 0 ? r.displayHeight : r.displayWidth))
            : ((this.squarePixelWidth = this.visibleRect.width), (this.squarePixelHeight = this.visibleRect.height)),
          (this._data = r._doNotCopy ? F(e) : F(e).slice()),
          (this._layout = i),
          (this.colorSpace = new Ct(n)));
      } else if (typeof VideoFrame < 'u' && e instanceof VideoFrame) {
        if (r?.rotation !== void 0 && ![0, 90, 180, 270].includes(r.rotation))
          throw new TypeError('init.rotation, when provided, must be 0, 90, 180, or 270.');
        if (r?.flip !== void 0 && typeof r.flip != 'boolean')
          throw new TypeError('init.flip, when provided, must be a boolean.');
        if (r?.timestamp !== void 0 && !Number.isFinite(r?.timestamp))
          throw new TypeError('init.timestamp, when provided, must be a number.');
        if (r?.duration !== void 0 && (!Number.isFinite(r.duration) || r.duration < 0))
          throw new TypeError('init.duration, when provided, must be a non-negative number.');
        (r?.visibleRect !== void 0 && zt(r.visibleRect, 'init.visibleRect'),
          (this._data = e),
          (this._layout = null),
          (this.format = e.format),
          (this.visibleRect = {
            left: e.visibleRect?.x ?? 0,
            top: e.visibleRect?.y ?? 0,
            width: e.visibleRect?.width ?? e.codedWidth,
            height: e.visibleRect?.height ?? e.codedHeight,
          }),
          (this.rotation = r?.rotation ?? 0),
          (this.flip = r?.flip ?? !1),
          (this.squarePixelWidth = e.displayWidth),
          (this.squarePixelHeight = e.displayHeight),
          (this.timestamp = r?.timestamp ?? e.timestamp / 1e6),
          (this.duration = r?.duration ?? (e.duration ?? 0) / 1e6),
          (this.colorSpace = new Ct(e.colorSpace)));
      } else if (
        (typeof HTMLImageElement < 'u' && e instanceof HTMLImageElement) ||
        (typeof SVGImageElement < 'u' && e instanceof SVGImageElement) ||
        (typeof ImageBitmap < 'u' && e instanceof ImageBitmap) ||
        (typeof HTMLVideoElement < 'u' && e instanceof HTMLVideoElement) ||
        (typeof HTMLCanvasElement < 'u' && e instanceof HTMLCanvasElement) ||
        (typeof OffscreenCanvas < 'u' && e instanceof OffscreenCanvas)
      ) {
        if (!r || typeof r != 'object') throw new TypeError('init must be an object.');
        if (r.rotation !== void 0 && ![0, 90, 180, 270].includes(r.rotation))
          throw new TypeError('init.rotation, when provided, must be 0, 90, 180, or 270.');
        if (r.flip !== void 0 && typeof r.flip != 'boolean')
          throw new TypeError('init.flip, when provided, must be a boolean.');
        if (!Number.isFinite(r.timestamp)) throw new TypeError('init.timestamp must be a number.');
        if (r.duration !== void 0 && (!Number.isFinite(r.duration) || r.duration < 0))
          throw new TypeError('init.duration, when provided, must be a non-negative number.');
        if ((r.visibleRect !== void 0 && zt(r.visibleRect, 'init.visibleRect'), typeof VideoFrame < 'u'))
          return new t(
            new VideoFrame(e, {
              timestamp: Math.trunc(r.timestamp * Ee),
              duration: Math.trunc((r.duration ?? 0) * Ee) || void 0,
              visibleRect: r.visibleRect && {
                x: r.visibleRect.left,
                y: r.visibleRect.top,
                width: r.visibleRect.width,
                height: r.visibleRect.height,
              },
            }),
            r,
          );
        let i = 0,
          n = 0;
        if (
          ('naturalWidth' in e
            ? ((i = e.naturalWidth), (n = e.naturalHeight))
            : 'videoWidth' in e
              ? ((i = e.videoWidth), (n = e.videoHeight))
              : 'width' in e && ((i = Number(e.width)), (n = Number(e.height))),
          !i || !n)
        )
          throw new TypeError('Could not determine dimensions.');
        let s = r.visibleRect ?? { left: 0, top: 0, width: i, height: n },
          o = new OffscreenCanvas(s.width, s.height),
          a = o.getContext('2d', { alpha: Ut(), willReadFrequently: !0 });
        if (!a)
          throw new Error(
            "OffscreenCanvas must have support for the '2d' context in order to create a VideoSample from this data.",
          );
        (a.drawImage(e, -s.left, -s.top),
          (this._data = o),
          (this._layout = null),
          (this.format = 'RGBX'),
          (this.visibleRect = { left: 0, top: 0, width: s.width, height: s.height }),
          (this.squarePixelWidth = s.width),
          (this.squarePixelHeight = s.height),
          (this.rotation = r.rotation ?? 0),
          (this.flip = r.flip ?? !1),
          (this.timestamp = r.timestamp),
          (this.duration = r.duration ?? 0),
          (this.colorSpace = new Ct({ matrix: 'rgb', primaries: 'bt709', transfer: 'iec61966-2-1', fullRange: !0 })));
      } else if (e instanceof Te) {
        if (!r || typeof r != 'object') throw new TypeError('init must be an object.');
        if (r.rotation !== void 0 && ![0, 90, 180, 270].includes(r.rotation))
          throw new TypeError('init.rotation, when provided, must be 0, 90, 180, or 270.');
        if (r.flip !== void 0 && typeof r.flip != 'boolean')
          throw new TypeError('init.flip, when provided, must be a boolean.');
        if (!Number.isFinite(r.timestamp)) throw new TypeError('init.timestamp must be a number.');
        if (r.duration !== void 0 && (!Number.isFinite(r.duration) || r.duration < 0))
          throw new TypeError('init.duration, when provided, must be a non-negative number.');
        if (
          ((this._data = e),
          e._referenceCount++,
          (this.format = e.getFormat()),
          this.format !== null && !xr.includes(this.format))
        )
          throw new TypeError('getFormat() must return a VideoSamplePixelFormat or null.');
        if (
          ((this.visibleRect = { left: 0, top: 0, width: e.getCodedWidth(), height: e.getCodedHeight() }),
          !Number.isInteger(this.visibleRect.width) || this.visibleRect.width <= 0)
        )
          throw new TypeError('getCodedWidth() must return a positive integer.');
        if (!Number.isInteger(this.visibleRect.height) || this.visibleRect.height <= 0)
          throw new TypeError('getCodedHeight() must return a positive integer.');
        if (
          ((this.squarePixelWidth = e.getSquarePixelWidth()),
          !Number.isInteger(this.squarePixelWidth) || this.squarePixelWidth <= 0)
        )
          throw new TypeError('getSquarePixelWidth() must return a positive integer.');
        if (
          ((this.squarePixelHeight = e.getSquarePixelHeight()),
          !Number.isInteger(this.squarePixelHeight) || this.squarePixelHeight <= 0)
        )
          throw new TypeError('getSquarePixelHeight() must return a positive integer.');
        ((this.rotation = r.rotation ?? 0),
          (this.flip = r.flip ?? !1),
          (this.timestamp = r.timestamp),
          (this.duration = r.duration ?? 0),
          (this.colorSpace = e.getColorSpace()));
      } else
        throw new TypeError('Invalid data type: Must be a BufferSource, CanvasImageSource, or VideoSampleResource.');
      ((this.encodeOptions = r?.encodeOptions ?? {}),
        (this.pixelAspectRatio = Ge({
          num: this.squarePixelWidth * this.codedHeight,
          den: this.squarePixelHeight * this.codedWidth,
        })),
        Tr?.register(this, { type: 'video', data: this._data }, this));
    }
    clone() {
      if (this._closed) throw new Error('VideoSample is closed.');
      return (
        f(this._data !== null),
        this._data instanceof Te
          ? new t(this._data, {
              timestamp: this.timestamp,
              duration: this.duration,
              rotation: this.rotation,
              flip: this.flip,
              encodeOptions: this.encodeOptions,
            })
          : xt(this._data)
            ? new t(this._data.clone(), {
                timestamp: this.timestamp,
                duration: this.duration,
                rotation: this.rotation,
                flip: this.flip,
                encodeOptions: this.encodeOptions,
              })
            : this._data instanceof Uint8Array
              ? (f(this._layout),
                new t(this._data, {
                  format: this.format,
                  layout: this._layout,
                  codedWidth: this.codedWidth,
                  codedHeight: this.codedHeight,
                  timestamp: this.timestamp,
                  duration: this.duration,
                  colorSpace: this.colorSpace,
                  rotation: this.rotation,
                  flip: this.flip,
                  visibleRect: this.visibleRect,
                  displayWidth: this.displayWidth,
                  displayHeight: this.displayHeight,
                  encodeOptions: this.encodeOptions,
                  _doNotCopy: !0,
                }))
              : new t(this._data, {
                  format: this.format,
                  codedWidth: this.codedWidth,
                  codedHeight: this.codedHeight,
                  timestamp: this.timestamp,
                  duration: this.duration,
                  colorSpace: this.colorSpace,
                  rotation: this.rotation,
                  flip: this.flip,
                  visibleRect: this.visibleRect,
                  displayWidth: this.displayWidth,
                  displayHeight: this.displayHeight,
                  encodeOptions: this.encodeOptions,
                })
      );
    }
    close() {
      this._closed ||
        (Tr?.unregister(this),
        this._data instanceof Te
          ? (this._data._referenceCount--, this._data._referenceCount === 0 && this._data.close())
          : xt(this._data)
            ? this._data.close()
            : (this._data = null),
        (this._closed = !0));
    }
    allocationSize(e = {}) {
      if ((en(e), this._closed)) throw new Error('VideoSample is closed.');
      if ((e.format ?? this.format) == null) throw new Error('Cannot get allocation size when format is null.');
      return xt(this._data) ? this._data.allocationSize(e) : tn(this, e).allocationSize;
    }
    async copyTo(e, r = {}) {
      if (!ft(e)) throw new TypeError('destination must be an ArrayBuffer or an ArrayBuffer view.');
      if ((en(r), this._closed)) throw new Error('VideoSample is closed.');
      if ((r.format ?? this.format) == null) throw new Error('Cannot copy video sample data when format is null.');
      if ((f(this._data !== null), xt(this._data))) return this._data.copyTo(e, r);
      if (
        r.format &&
        !['RGBA', 'RGBX', 'BGRA', 'BGRX'].includes(this.format) &&
        ['RGBA', 'RGBX', 'BGRA', 'BGRX'].includes(r.format)
      )
        if (this._data instanceof Te) {
          let l = { stack: [], error: void 0, hasError: !1 };
          try {
            let d = Es(
              l,
              await this._data.toRgbSample(
                { timestamp: this.timestamp, duration: this.duration, rotation: this.rotation, flip: this.flip },
                r.colorSpace ?? 'srgb',
              ),
              !1,
            );
            if (!(d instanceof t)) throw new TypeError('toRgbSample() must return a VideoSample.');
            if (!['RGBA', 'RGBX', 'BGRA', 'BGRX'].includes(d.format))
              throw new Error(
                `Sample returned by toRgbSample was expected to have an RGB format, got '${d.format}' instead.`,
              );
            return await d.copyTo(e, r);
          } catch (d) {
            ((l.error = d), (l.hasError = !0));
          } finally {
            _s(l);
          }
        } else {
          if (typeof VideoFrame > 'u')
            throw new Error(
              'For this sample, converting from a non-RGB to an RGB format requires VideoFrame to be defined.',
            );
          let l = this.toVideoFrame(),
            d = await l.copyTo(e, r);
          return (l.close(), d);
        }
      let i = tn(this, r);
      f(this.format);
      let n = F(e);
      if (n.byteLength < i.allocationSize)
        throw new TypeError(`Destination buffer too small. Required: ${i.allocationSize}, Available: ${n.byteLength}`);
      let s = Yt(this.format),
        o;
      if (this._data instanceof Te) {
        let l = this._data.getDataPlanes();
        if (
          (Q(l) && (l = await l),
          !Array.isArray(l) ||
            l.some((d) => !(d.data instanceof Uint8Array) || !Number.isInteger(d.stride) || d.stride < 0))
        )
          throw new TypeError(
            'getDataPlanes() must return an array of objects with a Uint8Array "data" property and a non-negative integer "stride" property.',
          );
        o = l;
      } else if (this._data instanceof Uint8Array)
        (f(this._layout),
          f(this._layout.length === s.length),
          (o = this._layout.map((l, d) => {
            let u = Math.ceil(this.codedHeight / s[d].heightDivisor);
            return { data: this._data.subarray(l.offset, l.offset + l.stride * u), stride: l.stride };
          })));
      else {
        let d = this._data.getContext('2d');
        f(d);
        let u = d.getImageData(0, 0, this.codedWidth, this.codedHeight);
        o = [{ data: F(u.data), stride: 4 * this.codedWidth }];
      }
      let a = [],
        c = s.length;
      for (let l = 0; l < c; l++) {
        let d = i.computedLayouts[l],
          u = o[l].stride,
          h = o[l].data,
          p = d.sourceTop * u;
        p += d.sourceLeftBytes;
        let w = d.destinationOffset,
          y = d.sourceWidthBytes,
          x = { offset: w, stride: d.destinationStride };
        for (let C = 0; C < d.sourceHeight; C++) {
          if (p + y > h.byteLength) throw new Error('Source buffer OOB read.');
          if (w + y > n.byteLength) throw new Error('Destination buffer OOB write.');
          let _ = h.subarray(p, p + y);
          (n.set(_, w), (p += u), (w += d.destinationStride));
        }
        a.push(x);
      }
      if (r.format !== void 0) {
        let l = this.format.startsWith('RGB') !== r.format.startsWith('RGB'),
          d = this.format.includes('X') && r.format.includes('A');
        if (l || d)
          for (let u = 0; u < i.allocationSize; u += 4) {
            if (l) {
              let h = n[u],
                p = n[u + 2];
              ((n[u] = p), (n[u + 2] = h));
            }
            d && (n[u + 3] = 255);
          }
      }
      return a;
    }
    toVideoFrame() {
      if (this._closed) throw new Error('VideoSample is closed.');
      if ((f(this._data !== null), this._data instanceof Te)) {
        if (this.format === null)
          throw new Error('Cannot convert a VideoSampleResource-backed VideoSample to VideoFrame if format is null.');
        let e = this._data.getDataPlanes();
        if (Q(e))
          throw new Error(
            'Cannot convert a VideoSampleResource-backed VideoSample to VideoFrame if getDataPlanes() returns a promise.',
          );
        let r = e.reduce((o, a) => o + a.data.byteLength, 0),
          i = new Uint8Array(r),
          n = 0,
          s = [];
        for (let o of e) (i.set(o.data, n), s.push(n), (n += o.data.byteLength));
        return new VideoFrame(i, {
          format: this.format,
          layout: e.map((o, a) => ({ offset: s[a], stride: o.stride })),
          codedWidth: this.codedWidth,
          codedHeight: this.codedHeight,
          timestamp: this.microsecondTimestamp,
          duration: this.microsecondDuration,
          colorSpace: this.colorSpace,
          visibleRect: this.visibleRect,
          displayWidth: this.squarePixelWidth,
          displayHeight: this.squarePixelHeight,
        });
      } else
        return xt(this._data)
          ? new VideoFrame(this._data, {
              timestamp: this.microsecondTimestamp,
              duration: this.microsecondDuration || void 0,
            })
          : this._data instanceof Uint8Array
            ? (f(this._layout),
              new VideoFrame(this._data, {
                format: this.format,
                codedWidth: this.codedWidth,
                codedHeight: this.codedHeight,
                layout: this._layout,
                timestamp: this.microsecondTimestamp,
                duration: this.microsecondDuration || void 0,
                colorSpace: this.colorSpace,
                visibleRect: this.visibleRect,
                displayWidth: this.squarePixelWidth,
                displayHeight: this.squarePixelHeight,
              }))
            : new VideoFrame(this._data, {
                timestamp: this.microsecondTimestamp,
                duration: this.microsecondDuration || void 0,
              });
    }
    draw(e, r, i, n, s, o, a, c, l) {
      let d = 0,
        u = 0,
        h = this.displayWidth,
        p = this.displayHeight,
        w = 0,
        y = 0,
        x = this.displayWidth,
        C = this.displayHeight;
      if (
        (o !== void 0
          ? ((d = r),
            (u = i),
            (h = n),
            (p = s),
            (w = o),
            (y = a),
            c !== void 0 ? ((x = c), (C = l)) : ((x = h), (C = p)))
          : ((w = r), (y = i), n !== void 0 && ((x = n), (C = s))),
        !(
          (typeof CanvasRenderingContext2D < 'u' && e instanceof CanvasRenderingContext2D) ||
          (typeof OffscreenCanvasRenderingContext2D < 'u' && e instanceof OffscreenCanvasRenderingContext2D)
        ))
      )
        throw new TypeError('context must be a CanvasRenderingContext2D or OffscreenCanvasRenderingContext2D.');
      if (!Number.isFinite(d)) throw new TypeError('sx must be a number.');
      if (!Number.isFinite(u)) throw new TypeError('sy must be a number.');
      if (!Number.isFinite(h) || h < 0) throw new TypeError('sWidth must be a non-negative number.');
      if (!Number.isFinite(p) || p < 0) throw new TypeError('sHeight must be a non-negative number.');
      if (!Number.isFinite(w)) throw new TypeError('dx must be a number.');
      if (!Number.isFinite(y)) throw new TypeError('dy must be a number.');
      if (!Number.isFinite(x) || x < 0) throw new TypeError('dWidth must be a non-negative number.');
      if (!Number.isFinite(C) || C < 0) throw new TypeError('dHeight must be a non-negative number.');
      if (this._closed) throw new Error('VideoSample is closed.');
      ({ sx: d, sy: u, sWidth: h, sHeight: p } = this._unmapSourceRegion(d, u, h, p, this.rotation, this.flip));
      let _ = this.toCanvasImageSource();
      e.save();
      let M = w + x / 2,
        V = y + C / 2;
      (e.translate(M, V), this.flip && e.scale(-1, 1), e.rotate((this.rotation * Math.PI) / 180));
      let j = this.rotation % 180 === 0 ? 1 : x / C;
      (e.scale(1 / j, j), e.drawImage(_, d, u, h, p, -x / 2, -C / 2, x, C), e.restore());
    }
    drawWithFit(e, r) {
      if (!(
        (typeof CanvasRenderingContext2D < 'u' && e instanceof CanvasRenderingContext2D) ||
        (typeof OffscreenCanvasRenderingContext2D < 'u' && e instanceof OffscreenCanvasRenderingContext2D)
      ))
        throw new TypeError('context must be a CanvasRenderingContext2D or OffscreenCanvasRenderingContext2D.');
      if (!r || typeof r != 'object') throw new TypeError('options must be an object.');
      if (!['fill', 'contain', 'cover'].includes(r.fit))
        throw new TypeError("options.fit must be 'fill', 'contain', or 'cover'.");
      if (r.rotation !== void 0 && ![0, 90, 180, 270].includes(r.rotation))
        throw new TypeError('options.rotation, when provided, must be 0, 90, 180, or 270.');
      if (r.flip !== void 0 && typeof r.flip != 'boolean')
        throw new TypeError('options.flip, when provided, must be a boolean.');
      r.crop !== void 0 && Xt(r.crop, 'options.');
      let i = e.canvas.width,
        n = e.canvas.height,
        s = r.rotation ?? this.rotation,
        o = r.flip ?? this.flip,
        [a, c] =
          s % 180 === 0
            ? [this.squarePixelWidth, this.squarePixelHeight]
            : [this.squarePixelHeight, this.squarePixelWidth],
        l = r.crop;
      l && (l = Ji(l, a, c));
      let d,
        u,
        h,
        p,
        {
          sx: w,
          sy: y,
          sWidth: x,
          sHeight: C,
        } = this._unmapSourceRegion(r.crop?.left ?? 0, r.crop?.top ?? 0, r.crop?.width ?? a, r.crop?.height ?? c, s, o);
      if (r.fit === 'fill') ((d = 0), (u = 0), (h = i), (p = n));
      else {
        let [M, V] = r.crop ? [r.crop.width, r.crop.height] : [a, c],
          j = r.fit === 'contain' ? Math.min(i / M, n / V) : Math.max(i / M, n / V);
        ((h = M * j), (p = V * j), (d = (i - h) / 2), (u = (n - p) / 2));
      }
      e.save();
      let _ = s % 180 === 0 ? 1 : h / p;
      (e.translate(i / 2, n / 2),
        o && e.scale(-1, 1),
        e.rotate((s * Math.PI) / 180),
        e.scale(1 / _, _),
        e.translate(-i / 2, -n / 2),
        e.drawImage(this.toCanvasImageSource(), w, y, x, C, d, u, h, p),
        e.restore());
    }
    _unmapSourceRegion(e, r, i, n, s, o) {
      return (
        o && (e = (s % 180 === 0 ? this.squarePixelWidth : this.squarePixelHeight) - e - i),
        s === 90
          ? ([e, r, i, n] = [r, this.squarePixelHeight - e - i, n, i])
          : s === 180
            ? ([e, r] = [this.squarePixelWidth - e - i, this.squarePixelHeight - r - n])
            : s === 270 && ([e, r, i, n] = [this.squarePixelWidth - r - n, e, n, i]),
        { sx: e, sy: r, sWidth: i, sHeight: n }
      );
    }
    _drawWithFitAndMipmapping(e, r, i) {
      let n = e.width,
        s = e.height,
        [o, a] =
          i.rotation % 180 === 0
            ? [this.squarePixelWidth, this.squarePixelHeight]
            : [this.squarePixelHeight, this.squarePixelWidth],
        c = i.crop ? i.crop.width : o,
        l = i.crop ? i.crop.height : a,
        d = 0;
      2 * n < c && 2 * s < l && (d = Math.floor(Math.log2(Math.min(c / n, l / s))));
      let u = n * 2 ** d,
        h = s * 2 ** d,
        { canvas: p, context: w, isNew: y } = d > 0 ? Zi(u, h) : { canvas: e, context: r, isNew: i.targetIsFresh };
      ((w.imageSmoothingQuality = 'high'),
        i.fillBlack ? ((w.fillStyle = 'black'), w.fillRect(0, 0, u, h)) : y || w.clearRect(0, 0, u, h),
        this.drawWithFit(w, { fit: i.fit, rotation: i.rotation, flip: i.flip, crop: i.crop }),
        (w.globalCompositeOperation = 'copy'));
      for (let x = d; x > 1; x--) {
        let C = n * 2 ** x,
          _ = s * 2 ** x;
        w.drawImage(p, 0, 0, C, _, 0, 0, C / 2, _ / 2);
      }
      ((w.globalCompositeOperation = 'source-over'),
        d > 0 &&
          ((r.imageSmoothingQuality = 'high'),
          (r.globalCompositeOperation = 'copy'),
          r.drawImage(p, 0, 0, 2 * n, 2 * s, 0, 0, n, s),
          (r.globalCompositeOperation = 'source-over')));
    }
    toCanvasImageSource() {
      if (this._closed) throw new Error('VideoSample is closed.');
      if ((f(this._data !== null), this._data instanceof Te || this._data instanceof Uint8Array)) {
        let e = this.toVideoFrame();
        return (queueMicrotask(() => e.close()), e);
      } else return this._data;
    }
    async transform(e) {
      if (!e || typeof e != 'object') throw new TypeError('options must be an object.');
      if (e.width !== void 0 && (!Number.isInteger(e.width) || e.width <= 0))
        throw new TypeError('options.width, when provided, must be a positive integer.');
      if (e.height !== void 0 && (!Number.isInteger(e.height) || e.height <= 0))
        throw new TypeError('options.height, when provided, must be a positive integer.');
      if (e.roundDimensionsTo !== void 0 && (!Number.isInteger(e.roundDimensionsTo) || e.roundDimensionsTo <= 0))
        throw new TypeError('options.roundDimensionsTo, when provided, must be a positive integer.');
      if (e.fit !== void 0 && !['fill', 'contain', 'cover'].includes(e.fit))
        throw new TypeError('options.fit, when provided, must be one of "fill", "contain", or "cover".');
      if (e.width !== void 0 && e.height !== void 0 && e.fit === void 0)
        throw new TypeError(
          'When both options.width and options.height are provided, options.fit must also be provided.',
        );
      if (e.rotate !== void 0 && ![0, 90, 180, 270].includes(e.rotate))
        throw new TypeError('options.rotate, when provided, must be 0, 90, 180 or 270.');
      if (e.flip !== void 0 && typeof e.flip != 'boolean')
        throw new TypeError('options.flip, when provided, must be a boolean.');
      if ((e.crop !== void 0 && Xt(e.crop, 'options.'), e.alpha !== void 0 && !['keep', 'discard'].includes(e.alpha)))
        throw new TypeError("options.alpha, when provided, must be 'keep' or 'discard'.");
      let { rotation: r, flip: i } = Qr(this.rotation, this.flip, e.rotate ?? 0, e.flip ?? !1),
        [n, s] =
          r % 180 === 0
            ? [this.squarePixelWidth, this.squarePixelHeight]
            : [this.squarePixelHeight, this.squarePixelWidth],
        o = e.crop;
      o && (o = Ji(o, n, s));
      let a = o ? o.width : n,
        c = o ? o.height : s,
        l = a / c,
        d,
        u;
      (e.width !== void 0 && e.height === void 0
        ? ((d = e.width), (u = d / l))
        : e.width === void 0 && e.height !== void 0
          ? ((u = e.height), (d = u * l))
          : e.width !== void 0 && e.height !== void 0
            ? ((d = e.width), (u = e.height))
            : ((d = a), (u = c)),
        (d = Mt(d, e.roundDimensionsTo ?? 1)),
        (u = Mt(u, e.roundDimensionsTo ?? 1)));
      let h = {
        width: d,
        height: u,
        fit: e.fit ?? 'fill',
        rotation: r,
        flip: i,
        crop: o ?? { left: 0, top: 0, width: n, height: s },
        alpha: e.alpha ?? 'keep',
      };
      for (let x of ks) {
        let C = x(this, h);
        if ((Q(C) && (C = await C), C !== null)) return C;
      }
      let { canvas: p, context: w, isNew: y } = Zi(h.width, h.height);
      return (
        this._drawWithFitAndMipmapping(p, w, {
          fit: h.fit,
          rotation: h.rotation,
          flip: h.flip,
          crop: h.crop,
          targetIsFresh: y,
          fillBlack: h.alpha === 'discard',
        }),
        new t(p, { timestamp: this.timestamp, duration: this.duration, rotation: 0, flip: !1 })
      );
    }
    setRotation(e) {
      if (![0, 90, 180, 270].includes(e)) throw new TypeError('newRotation must be 0, 90, 180, or 270.');
      this.rotation = e;
    }
    setFlip(e) {
      if (typeof e != 'boolean') throw new TypeError('newFlip must be a boolean.');
      this.flip = e;
    }
    setTimestamp(e) {
      if (!Number.isFinite(e)) throw new TypeError('newTimestamp must be a number.');
      this.timestamp = e;
    }
    setDuration(e) {
      if (!Number.isFinite(e) || e < 0) throw new TypeError('newDuration must be a non-negative number.');
      this.duration = e;
    }
    setEncodeOptions(e) {
      if (!e || typeof e != 'object') throw new TypeError('newEncodeOptions must be an object.');
      this.encodeOptions = e;
    }
    [Symbol.dispose]() {
      this.close();
    }
  },
  ks = [];
var Bs = 3,
  Tt = [],
  Yi = 0,
  Zi = (t, e) => {
    for (let n of Tt)
      if (n.canvas.width === t && n.canvas.height === e)
        return ((n.age = Yi++), { canvas: n.canvas, context: n.context, isNew: !1 });
    let r;
    if (typeof OffscreenCanvas < 'u') r = new OffscreenCanvas(t, e);
    else {
      if (typeof window > 'u' || typeof document > 'u')
        throw new Error(
          'Cannot transform VideoSamples in this environment. Either run in an environment with OffscreenCanvas or HTMLCanvasElement, or supply a custom VideoSample transformer using registerVideoSampleTransformer().',
        );
      ((r = document.createElement('canvas')), (r.width = t), (r.height = e));
    }
    let i = r.getContext('2d', { alpha: !0, willReadFrequently: !1 });
    if (!i)
      throw new Error(
        "The '2d' canvas context is required to transform VideoSamples. Register a custom transformer using registerVideoSampleTransformer to work around this limitation.",
      );
    return (
      Tt.length >= Bs &&
        Tt.splice(
          si(Tt, (n) => n.age),
          1,
        ),
      Tt.push({ canvas: r, context: i, age: Yi++ }),
      { canvas: r, context: i, isNew: !0 }
    );
  },
  Ct = class {
    constructor(e) {
      if (e !== void 0) {
        if (!e || typeof e != 'object') throw new TypeError('init.colorSpace, when provided, must be an object.');
        let r = Object.keys(we);
        if (e.primaries != null && !r.includes(e.primaries))
          throw new TypeError(`init.colorSpace.primaries, when provided, must be one of ${r.join(', ')}.`);
        let i = Object.keys(Ae);
        if (e.transfer != null && !i.includes(e.transfer))
          throw new TypeError(`init.colorSpace.transfer, when provided, must be one of ${i.join(', ')}.`);
        let n = Object.keys(ye);
        if (e.matrix != null && !n.includes(e.matrix))
          throw new TypeError(`init.colorSpace.matrix, when provided, must be one of ${n.join(', ')}.`);
        if (e.fullRange != null && typeof e.fullRange != 'boolean')
          throw new TypeError('init.colorSpace.fullRange, when provided, must be a boolean.');
      }
      ((this.primaries = e?.primaries ?? null),
        (this.transfer = e?.transfer ?? null),
        (this.matrix = e?.matrix ?? null),
        (this.fullRange = e?.fullRange ?? null));
    }
    toJSON() {
      return { primaries: this.primaries, transfer: this.transfer, matrix: this.matrix, fullRange: this.fullRange };
    }
  },
  xt = (t) => typeof VideoFrame < 'u' && t instanceof VideoFrame,
  Ji = (t, e, r) => {
    let i = Math.min(t.left, e),
      n = Math.min(t.top, r),
      s = Math.min(t.width, e - i),
      o = Math.min(t.height, r - n);
    return (f(s >= 0), f(o >= 0), { left: i, top: n, width: s, height: o });
  },
  Xt = (t, e) => {
    if (!t || typeof t != 'object') throw new TypeError(e + 'crop, when provided, must be an object.');
    if (!Number.isInteger(t.left) || t.left < 0) throw new TypeError(e + 'crop.left must be a non-negative integer.');
    if (!Number.isInteger(t.top) || t.top < 0) throw new TypeError(e + 'crop.top must be a non-negative integer.');
    if (!Number.isInteger(t.width) || t.width < 0)
      throw new TypeError(e + 'crop.width must be a non-negative integer.');
    if (!Number.isInteger(t.height) || t.height < 0)
      throw new TypeError(e + 'crop.height must be a non-negative integer.');
  },
  en = (t) => {
    if (!t || typeof t != 'object') throw new TypeError('options must be an object.');
    if (t.colorSpace !== void 0 && !['display-p3', 'srgb'].includes(t.colorSpace))
      throw new TypeError("options.colorSpace, when provided, must be 'display-p3' or 'srgb'.");
    if (t.format !== void 0 && typeof t.format != 'string')
      throw new TypeError('options.format, when provided, must be a string.');
    if (t.layout !== void 0) {
      if (!Array.isArray(t.layout)) throw new TypeError('options.layout, when provided, must be an array.');
      for (let e of t.layout) {
        if (!e || typeof e != 'object') throw new TypeError('Each entry in options.layout must be an object.');
        if (!Number.isInteger(e.offset) || e.offset < 0)
          throw new TypeError('plane.offset must be a non-negative integer.');
        if (!Number.isInteger(e.stride) || e.stride < 0)
          throw new TypeError('plane.stride must be a non-negative integer.');
      }
    }
    if (t.rect !== void 0) {
      if (!t.rect || typeof t.rect != 'object') throw new TypeError('options.rect, when provided, must be an object.');
      if (t.rect.x !== void 0 && (!Number.isInteger(t.rect.x) || t.rect.x < 0))
        throw new TypeError('options.rect.x, when provided, must be a non-negative integer.');
      if (t.rect.y !== void 0 && (!Number.isInteger(t.rect.y) || t.rect.y < 0))
        throw new TypeError('options.rect.y, when provided, must be a non-negative integer.');
      if (t.rect.width !== void 0 && (!Number.isInteger(t.rect.width) || t.rect.width < 0))
        throw new TypeError('options.rect.width, when provided, must be a non-negative integer.');
      if (t.rect.height !== void 0 && (!Number.isInteger(t.rect.height) || t.rect.height < 0))
        throw new TypeError('options.rect.height, when provided, must be a non-negative integer.');
    }
  },
  Ps = (t, e, r) => {
    let i = Yt(t),
      n = [],
      s = 0;
    for (let o of i) {
      let a = Math.ceil(e / o.widthDivisor),
        c = Math.ceil(r / o.heightDivisor),
        l = a * o.sampleBytes,
        d = l * c;
      (n.push({ offset: s, stride: l }), (s += d));
    }
    return n;
  },
  Yt = (t) => {
    let e = (r, i, n, s, o) => {
      let a = [
        { sampleBytes: r, widthDivisor: 1, heightDivisor: 1 },
        { sampleBytes: i, widthDivisor: n, heightDivisor: s },
        { sampleBytes: i, widthDivisor: n, heightDivisor: s },
      ];
      return (o && a.push({ sampleBytes: r, widthDivisor: 1, heightDivisor: 1 }), a);
    };
    switch (t) {
      case 'I420':
        return e(1, 1, 2, 2, !1);
      case 'I420P10':
      case 'I420P12':
        return e(2, 2, 2, 2, !1);
      case 'I420A':
        return e(1, 1, 2, 2, !0);
      case 'I420AP10':
      case 'I420AP12':
        return e(2, 2, 2, 2, !0);
      case 'I422':
        return e(1, 1, 2, 1, !1);
      case 'I422P10':
      case 'I422P12':
        return e(2, 2, 2, 1, !1);
      case 'I422A':
        return e(1, 1, 2, 1, !0);
      case 'I422AP10':
      case 'I422AP12':
        return e(2, 2, 2, 1, !0);
      case 'I444':
        return e(1, 1, 1, 1, !1);
      case 'I444P10':
      case 'I444P12':
        return e(2, 2, 1, 1, !1);
      case 'I444A':
        return e(1, 1, 1, 1, !0);
      case 'I444AP10':
      case 'I444AP12':
        return e(2, 2, 1, 1, !0);
      case 'NV12':
        return [
          { sampleBytes: 1, widthDivisor: 1, heightDivisor: 1 },
          { sampleBytes: 2, widthDivisor: 2, heightDivisor: 2 },
        ];
      case 'RGBA':
      case 'RGBX':
      case 'BGRA':
      case 'BGRX':
        return [{ sampleBytes: 4, widthDivisor: 1, heightDivisor: 1 }];
      default:
        (D(t), f(!1));
    }
  },
  tn = (t, e) => {
    let r = { left: 0, top: 0, width: t.codedWidth, height: t.codedHeight },
      i = e.rect,
      n = Is(r, i, t.codedWidth, t.codedHeight, t.format),
      s = e.layout,
      o;
    if (!e.format || e.format === t.format) o = t.format;
    else if (['RGBA', 'RGBX', 'BGRA', 'BGRX'].includes(e.format)) o = e.format;
    else throw new Error('NotSupportedError: Invalid destination format.');
    return Fs(n, o, s);
  },
  Is = (t, e, r, i, n) => {
    let s = { ...t };
    if (e !== void 0) {
      if (e.width === 0 || e.height === 0) throw new TypeError('visibleRect dimensions cannot be zero.');
      if ((e.x || 0) + (e.width || 0) > r) throw new TypeError('visibleRect exceeds codedWidth.');
      if ((e.y || 0) + (e.height || 0) > i) throw new TypeError('visibleRect exceeds codedHeight.');
      ((s.x = e.x || 0), (s.y = e.y || 0), (s.width = e.width || 0), (s.height = e.height || 0));
    }
    if (!Rs(n, s)) throw new TypeError('visibleRect alignment is invalid for the format.');
    return s;
  },
  Rs = (t, e) => {
    if (t === null) return !0;
    let r = Yt(t);
    for (let i = 0; i < r.length; i++) {
      let n = r[i],
        s = n.widthDivisor,
        o = n.heightDivisor;
      if ((e.x || 0) % s !== 0 || (e.y || 0) % o !== 0) return !1;
    }
    return !0;
  },
  Fs = (t, e, r) => {
    let i = Yt(e),
      n = i.length;
    if (r !== void 0 && r.length !== n) throw new TypeError(`Layout must have ${n} planes.`);
    let s = 0,
      o = [],
      a = [];
    for (let c = 0; c < n; c++) {
      let l = i[c],
        d = l.sampleBytes,
        u = l.widthDivisor,
        h = l.heightDivisor,
        p = {
          destinationOffset: 0,
          destinationStride: 0,
          sourceTop: 0,
          sourceHeight: 0,
          sourceLeftBytes: 0,
          sourceWidthBytes: 0,
        };
      if (
        ((p.sourceTop = Math.ceil(Math.trunc(t.y || 0) / h)),
        (p.sourceHeight = Math.ceil(Math.trunc(t.height || 0) / h)),
        (p.sourceLeftBytes = Math.floor(Math.trunc(t.x || 0) / u) * d),
        (p.sourceWidthBytes = Math.floor(Math.trunc(t.width || 0) / u) * d),
        r !== void 0)
      ) {
        let x = r[c];
        if (x.stride < p.sourceWidthBytes) throw new TypeError(`Stride for plane ${c} is too small.`);
        ((p.destinationOffset = x.offset), (p.destinationStride = x.stride));
      } else ((p.destinationOffset = s), (p.destinationStride = p.sourceWidthBytes));
      let y = p.destinationStride * p.sourceHeight + p.destinationOffset;
      if (y > 4294967295) throw new TypeError('Allocation size exceeds limit.');
      (a.push(y), (s = Math.max(s, y)));
      for (let x = 0; x < c; x++) {
        let C = o[x];
        if (!(a[c] <= C.destinationOffset || a[x] <= p.destinationOffset)) throw new TypeError('Planes overlap.');
      }
      o.push(p);
    }
    return { allocationSize: s, computedLayouts: o };
  };
/*!
 * Copyright (c) 2026-present, Vanilagy and contributors
 *
 * This Source Code Form is subject to the terms of the Mozilla Public
 * License, v. 2.0. If a copy of the MPL was not distributed with this
 * file, You can obtain one at https://mozilla.org/MPL/2.0/.
 */ var rn = new Map();
var on = (t) => {
    if (!t || typeof t != 'object') throw new TypeError('Encoding config must be an object.');
    if (!H.includes(t.codec)) throw new TypeError(`Invalid video codec '${t.codec}'. Must be one of: ${H.join(', ')}.`);
    let e = t.bitrate;
    if (t.quality === void 0 && e === void 0) throw new TypeError('config.quality must be provided.');
    if (t.quality !== void 0 && e !== void 0)
      throw new TypeError('config.quality and config.bitrate cannot both be provided.');
    if (t.quality !== void 0 && !(t.quality instanceof ue))
      throw new TypeError('config.quality, when provided, must be a Quality.');
    if (e !== void 0 && !(e instanceof ue) && (!Number.isInteger(e) || e <= 0))
      throw new TypeError('config.bitrate, when provided, must be a positive integer or a quality.');
    if (t.keyFrameInterval !== void 0 && (!Number.isFinite(t.keyFrameInterval) || t.keyFrameInterval < 0))
      throw new TypeError('config.keyFrameInterval, when provided, must be a non-negative number.');
    if (
      t.sizeChangeBehavior !== void 0 &&
      !['deny', 'passThrough', 'fill', 'contain', 'cover'].includes(t.sizeChangeBehavior)
    )
      throw new TypeError(
        "config.sizeChangeBehavior, when provided, must be 'deny', 'passThrough', 'fill', 'contain' or 'cover'.",
      );
    if (t.transform !== void 0) {
      if (typeof t.transform != 'object' || !t.transform)
        throw new TypeError('config.transform, when provided, must be an object.');
      if (t.transform.width !== void 0 && (!Number.isInteger(t.transform.width) || t.transform.width <= 0))
        throw new TypeError('config.transform.width, when provided, must be a positive integer.');
      if (t.transform.height !== void 0 && (!Number.isInteger(t.transform.height) || t.transform.height <= 0))
        throw new TypeError('config.transform.height, when provided, must be a positive integer.');
      if (t.transform.fit !== void 0 && !['fill', 'contain', 'cover'].includes(t.transform.fit))
        throw new TypeError('config.transform.fit, when provided, must be one of "fill", "contain", or "cover".');
      if (
        t.transform.width !== void 0 &&
        t.transform.height !== void 0 &&
        t.transform.fit === void 0 &&
        !['fill', 'contain', 'cover'].includes(t.sizeChangeBehavior)
      )
        throw new TypeError(
          'When both config.transform.width and config.transform.height are provided, config.transform.fit must also be provided.',
        );
      if (
        t.transform.fit !== void 0 &&
        ['fill', 'contain', 'cover'].includes(t.sizeChangeBehavior) &&
        t.transform.fit !== t.sizeChangeBehavior
      )
        throw new TypeError(
          "config.transform.fit, when provided, cannot differ from config.sizeChangeBehavior when config.sizeChangeBehavior is 'fill', 'contain' or 'cover', as sizeChangeBehavior already determines the fitting algorithm.",
        );
      if (t.transform.rotate !== void 0 && ![0, 90, 180, 270].includes(t.transform.rotate))
        throw new TypeError('config.transform.rotate, when provided, must be 0, 90, 180 or 270.');
      if (t.transform.flip !== void 0 && typeof t.transform.flip != 'boolean')
        throw new TypeError('config.transform.flip, when provided, must be a boolean.');
      if (
        (t.transform.crop !== void 0 && Xt(t.transform.crop, 'config.transform.'),
        t.transform.process !== void 0 && typeof t.transform.process != 'function')
      )
        throw new TypeError('config.transform.process, when provided, must be a function.');
      if (t.transform.frameRate !== void 0 && (!Number.isFinite(t.transform.frameRate) || t.transform.frameRate <= 0))
        throw new TypeError('config.transform.frameRate, when provided, must be a finite positive number.');
      if (t.transform.force !== void 0 && typeof t.transform.force != 'boolean')
        throw new TypeError('config.transform.force, when provided, must be a boolean.');
    }
    if (t.onEncodedPacket !== void 0 && typeof t.onEncodedPacket != 'function')
      throw new TypeError('config.onEncodedPacket, when provided, must be a function.');
    if (t.onEncoderConfig !== void 0 && typeof t.onEncoderConfig != 'function')
      throw new TypeError('config.onEncoderConfig, when provided, must be a function.');
    if (t.onEncodedSample !== void 0 && typeof t.onEncodedSample != 'function')
      throw new TypeError('config.onEncodedSample, when provided, must be a function.');
    an(t.codec, t);
  },
  an = (t, e) => {
    if (!e || typeof e != 'object') throw new TypeError('Encoding options must be an object.');
    if (e.alpha !== void 0 && !['discard', 'keep'].includes(e.alpha))
      throw new TypeError("options.alpha, when provided, must be 'discard' or 'keep'.");
    let r = e.bitrateMode;
    if (r !== void 0 && !['constant', 'variable'].includes(r))
      throw new TypeError("bitrateMode, when provided, must be 'constant' or 'variable'.");
    if (e.latencyMode !== void 0 && !['quality', 'realtime'].includes(e.latencyMode))
      throw new TypeError("latencyMode, when provided, must be 'quality' or 'realtime'.");
    if (e.fullCodecString !== void 0 && typeof e.fullCodecString != 'string')
      throw new TypeError('fullCodecString, when provided, must be a string.');
    if (e.fullCodecString !== void 0 && Lt(e.fullCodecString) !== t)
      throw new TypeError(`fullCodecString, when provided, must be a string that matches the specified codec (${t}).`);
    if (
      e.hardwareAcceleration !== void 0 &&
      !['no-preference', 'prefer-hardware', 'prefer-software'].includes(e.hardwareAcceleration)
    )
      throw new TypeError(
        "hardwareAcceleration, when provided, must be 'no-preference', 'prefer-hardware' or 'prefer-software'.",
      );
    if (e.scalabilityMode !== void 0 && typeof e.scalabilityMode != 'string')
      throw new TypeError('scalabilityMode, when provided, must be a string.');
    if (e.contentHint !== void 0 && typeof e.contentHint != 'string')
      throw new TypeError('contentHint, when provided, must be a string.');
  },
  Sr = (t) => {
    let e = t.bitrateMode,
      r = t.quality._toVideoRateControl(t.codec, t.width, t.height, e),
      i = (s, o, a) => ({
        codec: t.fullCodecString ?? Vi(t.codec, t.width, t.height, a, t.alpha === 'keep'),
        width: t.width,
        height: t.height,
        displayWidth: t.squarePixelWidth,
        displayHeight: t.squarePixelHeight,
        bitrate: s,
        bitrateMode: o,
        alpha: t.alpha ?? 'discard',
        framerate: t.framerate,
        latencyMode: t.latencyMode,
        hardwareAcceleration: t.hardwareAcceleration,
        scalabilityMode: t.scalabilityMode,
        contentHint: t.contentHint,
        ...Wi(t.codec),
      }),
      n = [];
    return (
      r.quantizer !== null && n.push({ config: i(void 0, 'quantizer', r.bitrate), quantizer: r.quantizer }),
      r.bitrateMode !== 'quantizer' && n.push({ config: i(r.bitrate, r.bitrateMode, r.bitrate), quantizer: null }),
      f(n.length > 0),
      n
    );
  };
var ue = class {
    constructor(e) {
      if (((typeof e == 'number' || typeof e == 'string') && (e = { quality: e }), !e || typeof e != 'object'))
        throw new TypeError('options must be an object.');
      if (e.bitrateMode !== void 0 && !['constant', 'variable'].includes(e.bitrateMode))
        throw new TypeError("options.bitrateMode, when provided, must be 'constant' or 'variable'.");
      if ('quality' in e) {
        if (typeof e.quality == 'string' ? !(e.quality in nn) : typeof e.quality != 'number' || Number.isNaN(e.quality))
          throw new TypeError(
            "options.quality must be a number, or one of 'very-low', 'low', 'medium', 'high' or 'very-high'.",
          );
        if (e.preferBitrate !== void 0 && typeof e.preferBitrate != 'boolean')
          throw new TypeError('options.preferBitrate, when provided, must be a boolean.');
        if ('bitrate' in e || 'quantizer' in e)
          throw new TypeError('options.quality cannot be combined with options.bitrate or options.quantizer.');
        ((this._quality = typeof e.quality == 'string' ? nn[e.quality] : e.quality),
          (this._preferBitrate = e.preferBitrate ?? !1),
          (this._bitrate = void 0),
          (this._quantizer = void 0));
      } else {
        if (e.bitrate !== void 0 && (!Number.isInteger(e.bitrate) || e.bitrate <= 0))
          throw new TypeError('options.bitrate, when provided, must be a positive integer.');
        if (e.quantizer !== void 0 && (!Number.isInteger(e.quantizer) || e.quantizer < 0))
          throw new TypeError('options.quantizer, when provided, must be a non-negative integer.');
        if (e.bitrate === void 0 && e.quantizer === void 0)
          throw new TypeError('At least one of options.bitrate or options.quantizer must be set.');
        if ('preferBitrate' in e)
          throw new TypeError('options.preferBitrate can only be combined with options.quality.');
        ((this._quality = void 0),
          (this._preferBitrate = !1),
          (this._bitrate = e.bitrate),
          (this._quantizer = e.quantizer));
      }
      this._bitrateMode = e.bitrateMode;
    }
    _toVideoRateControl(e, r, i, n) {
      let s = Os[e],
        o = null,
        a = this._bitrateMode ?? n ?? 'variable';
      if (this._quantizer !== void 0) {
        if (s)
          if (this._quantizer < s.min || this._quantizer > s.max) {
            if (this._bitrate === void 0)
              throw new Error(
                `Quantizer ${this._quantizer} is out of range for codec '${e}'; must be between ${s.min} and ${s.max}.`,
              );
          } else ((o = this._quantizer), this._bitrate === void 0 && (a = 'quantizer'));
        else if (this._bitrate === void 0)
          throw new Error(
            `Codec '${e}' does not support quantizer-based encoding. Provide a bitrate in the Quality to define a fallback.`,
          );
      } else
        this._bitrate === void 0 &&
          s &&
          !this._preferBitrate &&
          (f(this._quality !== void 0), (o = Qe(Math.round(Kr(s.worst, s.best, this._quality)), s.min, s.max)));
      let c;
      if (this._bitrate !== void 0) c = this._bitrate;
      else {
        let l = this._quality;
        (l === void 0 && (f(o !== null && s), (l = Qe((o - s.worst) / (s.best - s.worst), 0, 1))),
          (c = sn(e, r, i, Cr(l))));
      }
      return { quantizer: o, bitrate: c, bitrateMode: a };
    }
    _toVideoBitrate(e, r, i) {
      return this._bitrate !== void 0 ? this._bitrate : (f(this._quality !== void 0), sn(e, r, i, Cr(this._quality)));
    }
    _toAudioBitrate(e) {
      if (W.includes(e) || e === 'flac') return;
      if (this._bitrate !== void 0) return this._bitrate;
      if (this._quality === void 0)
        throw new Error(
          'This Quality defines neither a quality level nor a bitrate and therefore cannot be used for audio encoding.',
        );
      let r = Cr(this._quality),
        n = { aac: 128e3, opus: 64e3, mp3: 16e4, vorbis: 64e3, ac3: 384e3, eac3: 192e3, dts: 768e3 }[e];
      if (!n) throw new Error(`Unhandled codec: ${e}`);
      let s = n * r;
      return (
        e === 'aac'
          ? (s = [96e3, 128e3, 16e4, 192e3].reduce((a, c) => (Math.abs(c - s) < Math.abs(a - s) ? c : a)))
          : e === 'opus' || e === 'vorbis'
            ? (s = Math.max(6e3, s))
            : e === 'mp3' &&
              (s = [
                8e3, 16e3, 24e3, 32e3, 4e4, 48e3, 64e3, 8e4, 96e3, 112e3, 128e3, 16e4, 192e3, 224e3, 256e3, 32e4,
              ].reduce((a, c) => (Math.abs(c - s) < Math.abs(a - s) ? c : a))),
        Math.round(s / 1e3) * 1e3
      );
    }
  },
  nn = { 'very-low': 0, low: 0.25, medium: 0.5, high: 0.75, 'very-high': 1 },
  Os = {
    avc: { min: 0, max: 51, worst: 41, best: 16 },
    hevc: { min: 0, max: 51, worst: 41, best: 16 },
    vp9: { min: 0, max: 63, worst: 52, best: 20 },
    av1: { min: 0, max: 255, worst: 208, best: 80 },
  },
  Cr = (t) => 0.3 * Math.exp(2.5538 * t),
  sn = (t, e, r, i) => {
    let n = e * r,
      s = 1920 * 1080,
      o = 3e6,
      a = Math.pow(n / s, 0.95),
      c = o * a,
      l = { avc: 1, hevc: 0.6, vp9: 0.6, av1: 0.4, vp8: 1.2, prores: 22e7 / o },
      u = c * l[t] * i;
    return Math.ceil(u / 1e3) * 1e3;
  },
  Er = (t, e) => {
    if (t === 'avc') return { avc: { quantizer: e } };
    if (t === 'hevc') return { hevc: { quantizer: e } };
    if (t === 'vp9') return { vp9: { quantizer: e } };
    if (t === 'av1') return { av1: { quantizer: e } };
    f(!1);
  };
var cn = async (t, e = {}) => {
  let { width: r = 1280, height: i = 720, quality: n, bitrate: s, frameRate: o, ...a } = e;
  if (!H.includes(t)) return !1;
  if (!Number.isInteger(r) || r <= 0) throw new TypeError('width must be a positive integer.');
  if (!Number.isInteger(i) || i <= 0) throw new TypeError('height must be a positive integer.');
  if (n !== void 0 && !(n instanceof ue)) throw new TypeError('quality, when provided, must be a Quality.');
  if (n !== void 0 && s !== void 0) throw new TypeError('quality and bitrate cannot both be provided.');
  if (s !== void 0 && !(s instanceof ue) && (!Number.isInteger(s) || s <= 0))
    throw new TypeError('bitrate must be a positive integer or a quality.');
  if (o !== void 0 && (!Number.isFinite(o) || o <= 0))
    throw new TypeError('frameRate, when provided, must be a finite positive number.');
  an(t, a);
  let c = _r(n, s) ?? new ue('medium'),
    l;
  try {
    l = Sr({ codec: t, width: r, height: i, quality: c, framerate: o, ...a, alpha: 'discard' });
  } catch {
    return !1;
  }
  let d = JSON.stringify(l),
    u = rn.get(d);
  if (u) return u;
  let h = (async () => {
    for (let { config: w } of l) if (Zt.some((y) => y.supports(t, w))) return !0;
    if (typeof VideoEncoder > 'u' || ((r % 2 === 1 || i % 2 === 1) && (t === 'avc' || t === 'hevc'))) return !1;
    for (let { config: w, quantizer: y } of l) {
      try {
        if (!(await VideoEncoder.isConfigSupported(w)).supported) continue;
      } catch {
        continue;
      }
      if (
        !Ut() ||
        (await new Promise(async (C) => {
          try {
            let _ = new VideoEncoder({ output: () => {}, error: () => C(!1) });
            _.configure(w);
            let M = new Uint8Array(r * i * 4),
              V = new VideoFrame(M, { format: 'RGBA', codedWidth: r, codedHeight: i, timestamp: 0 });
            (_.encode(V, y !== null ? Er(t, y) : void 0), V.close(), await _.flush(), C(!0));
          } catch {
            C(!1);
          }
        }))
      )
        return !0;
    }
    return !1;
  })();
  return (rn.set(d, h), h);
};
var _r = (t, e) => {
  if (t !== void 0) return t;
  if (e !== void 0) return e instanceof ue ? e : new ue({ bitrate: e });
};
var ln = async (t, e) => {
  for (let r of t) if (await cn(r, e)) return r;
  return null;
};
/*!
 * Copyright (c) 2026-present, Vanilagy and contributors
 *
 * This Source Code Form is subject to the terms of the Mozilla Public
 * License, v. 2.0. If a copy of the MPL was not distributed with this
 * file, You can obtain one at https://mozilla.org/MPL/2.0/.
 */ var Zt = [];
/*!
 * Copyright (c) 2026-present, Vanilagy and contributors
 *
 * This Source Code Form is subject to the terms of the Mozilla Public
 * License, v. 2.0. If a copy of the MPL was not distributed with this
 * file, You can obtain one at https://mozilla.org/MPL/2.0/.
 */ var Pe = class t {
    constructor(e, r, i, n, s) {
      ((this.bytes = e),
        (this.view = r),
        (this.offset = i),
        (this.start = n),
        (this.end = s),
        (this.bufferPos = n - i));
    }
    static tempFromBytes(e) {
      return new t(e, Se(e), 0, 0, e.length);
    }
    get length() {
      return this.end - this.start;
    }
    get filePos() {
      return this.offset + this.bufferPos;
    }
    set filePos(e) {
      this.bufferPos = e - this.offset;
    }
    get remainingLength() {
      return Math.max(this.end - this.filePos, 0);
    }
    skip(e) {
      this.bufferPos += e;
    }
    slice(e, r = this.end - e) {
      if (e < this.start || e + r > this.end) throw new RangeError('Slicing outside of original slice.');
      return new t(this.bytes, this.view, this.offset, e, e + r);
    }
  },
  Vs = (t, e) => {
    if (t.filePos < t.start || t.filePos + e > t.end)
      throw new RangeError(
        `Tried reading [${t.filePos}, ${t.filePos + e}), but slice is [${t.start}, ${t.end}). This is likely an internal error, please report it alongside the file that caused it.`,
      );
  },
  Gi = (t, e) => {
    Vs(t, e);
    let r = t.bytes.subarray(t.bufferPos, t.bufferPos + e);
    return ((t.bufferPos += e), r);
  };
/*!
 * Copyright (c) 2026-present, Vanilagy and contributors
 *
 * This Source Code Form is subject to the terms of the Mozilla Public
 * License, v. 2.0. If a copy of the MPL was not distributed with this
 * file, You can obtain one at https://mozilla.org/MPL/2.0/.
 */ var et = class {
  constructor(e) {
    ((this.mutex = new Le()), (this.trackTimestampInfo = new WeakMap()), (this.output = e));
  }
  onTrackClose(e) {}
  validateTimestamp(e, r, i) {
    let n = this.trackTimestampInfo.get(e);
    if (n) {
      if (
        (i && (n.maxTimestampBeforeLastKeyPacket = n.maxTimestamp),
        n.maxTimestampBeforeLastKeyPacket !== null && r < n.maxTimestampBeforeLastKeyPacket)
      )
        throw new Error(
          `Timestamps cannot be smaller than the largest timestamp of the previous GOP (a GOP begins with a key packet and ends right before the next key packet). Got ${r}s, but largest timestamp is ${n.maxTimestampBeforeLastKeyPacket}s.`,
        );
      n.maxTimestamp = Math.max(n.maxTimestamp, r);
    } else {
      if (!i) throw new Error('First packet must be a key packet.');
      ((n = { maxTimestamp: r, maxTimestampBeforeLastKeyPacket: null }), this.trackTimestampInfo.set(e, n));
    }
  }
};
/*!
 * Copyright (c) 2026-present, Vanilagy and contributors
 *
 * This Source Code Form is subject to the terms of the Mozilla Public
 * License, v. 2.0. If a copy of the MPL was not distributed with this
 * file, You can obtain one at https://mozilla.org/MPL/2.0/.
 */ var tt = /<(?:(\d{2}):)?(\d{2}):(\d{2}).(\d{3})>/g;
var Us = /(?:(\d{2}):)?(\d{2}):(\d{2}).(\d{3})/,
  dn = (t) => {
    let e = Us.exec(t);
    if (!e) throw new Error('Expected match.');
    return 3600 * 1e3 * Number(e[1] || '0') + 60 * 1e3 * Number(e[2]) + 1e3 * Number(e[3]) + Number(e[4]);
  },
  Jt = (t) => {
    let e = Math.floor(t / 36e5),
      r = Math.floor((t % (3600 * 1e3)) / (60 * 1e3)),
      i = Math.floor((t % (60 * 1e3)) / 1e3),
      n = t % 1e3;
    return (
      e.toString().padStart(2, '0') +
      ':' +
      r.toString().padStart(2, '0') +
      ':' +
      i.toString().padStart(2, '0') +
      '.' +
      n.toString().padStart(3, '0')
    );
  };
/*!
 * Copyright (c) 2026-present, Vanilagy and contributors
 *
 * This Source Code Form is subject to the terms of the Mozilla Public
 * License, v. 2.0. If a copy of the MPL was not distributed with this
 * file, You can obtain one at https://mozilla.org/MPL/2.0/.
 */ var ze = class {
    constructor(e) {
      ((this.writer = e),
        (this.helper = new Uint8Array(8)),
        (this.helperView = new DataView(this.helper.buffer)),
        (this.offsets = new WeakMap()));
    }
    writeU32(e) {
      (this.helperView.setUint32(0, e, !1), this.writer.write(this.helper.subarray(0, 4)));
    }
    writeU64(e) {
      (this.helperView.setUint32(0, Math.floor(e / 2 ** 32), !1),
        this.helperView.setUint32(4, e, !1),
        this.writer.write(this.helper.subarray(0, 8)));
    }
    writeAscii(e) {
      for (let r = 0; r < e.length; r++)
        (this.helperView.setUint8(r % 8, e.charCodeAt(r)), r % 8 === 7 && this.writer.write(this.helper));
      e.length % 8 !== 0 && this.writer.write(this.helper.subarray(0, e.length % 8));
    }
    writeBox(e) {
      if ((this.offsets.set(e, this.writer.getPos()), e.contents && !e.children))
        (this.writeBoxHeader(e, e.size ?? e.contents.byteLength + 8), this.writer.write(e.contents));
      else {
        let r = this.writer.getPos();
        if ((this.writeBoxHeader(e, 0), e.contents && this.writer.write(e.contents), e.children))
          for (let s of e.children) s && this.writeBox(s);
        let i = this.writer.getPos(),
          n = e.size ?? i - r;
        (this.writer.seek(r), this.writeBoxHeader(e, n), this.writer.seek(i));
      }
    }
    writeBoxHeader(e, r) {
      (this.writeU32(e.largeSize ? 1 : r), this.writeAscii(e.type), e.largeSize && this.writeU64(r));
    }
    measureBoxHeader(e) {
      return 8 + (e.largeSize ? 8 : 0);
    }
    patchBox(e) {
      let r = this.offsets.get(e);
      f(r !== void 0);
      let i = this.writer.getPos();
      (this.writer.seek(r), this.writeBox(e), this.writer.seek(i));
    }
    measureBox(e) {
      if (e.contents && !e.children) return this.measureBoxHeader(e) + e.contents.byteLength;
      {
        let r = this.measureBoxHeader(e);
        if ((e.contents && (r += e.contents.byteLength), e.children))
          for (let i of e.children) i && (r += this.measureBox(i));
        return r;
      }
    }
  },
  S = new Uint8Array(8),
  K = new DataView(S.buffer),
  P = (t) => [((t % 256) + 256) % 256],
  T = (t) => (K.setUint16(0, t, !1), [S[0], S[1]]),
  Pr = (t) => (K.setInt16(0, t, !1), [S[0], S[1]]),
  mn = (t) => (K.setUint32(0, t, !1), [S[1], S[2], S[3]]),
  g = (t) => (K.setUint32(0, t, !1), [S[0], S[1], S[2], S[3]]),
  me = (t) => (K.setInt32(0, t, !1), [S[0], S[1], S[2], S[3]]),
  se = (t) => (
    K.setUint32(0, Math.floor(t / 2 ** 32), !1),
    K.setUint32(4, t, !1),
    [S[0], S[1], S[2], S[3], S[4], S[5], S[6], S[7]]
  ),
  un = (t) => (
    K.setInt32(0, Math.floor(t / 2 ** 32), !1),
    K.setUint32(4, t, !1),
    [S[0], S[1], S[2], S[3], S[4], S[5], S[6], S[7]]
  ),
  pn = (t) => (K.setInt16(0, 2 ** 8 * t, !1), [S[0], S[1]]),
  G = (t) => (K.setInt32(0, 2 ** 16 * t, !1), [S[0], S[1], S[2], S[3]]),
  vr = (t) => (K.setInt32(0, 2 ** 30 * t, !1), [S[0], S[1], S[2], S[3]]),
  kr = (t, e) => {
    let r = [],
      i = t;
    do {
      let n = i & 127;
      ((i >>= 7), r.length > 0 && (n |= 128), r.push(n), e !== void 0 && e--);
    } while (i > 0 || e);
    return r.reverse();
  },
  v = (t, e = !1) => {
    let r = Array(t.length)
      .fill(null)
      .map((i, n) => t.charCodeAt(n));
    return (e && r.push(0), r);
  },
  gn = (t) => [G(t[0]), G(t[1]), vr(t[2]), G(t[3]), G(t[4]), vr(t[5]), G(t[6]), G(t[7]), vr(t[8])],
  b = (t, e, r) => ({ type: t, contents: e && new Uint8Array(e.flat(10)), children: r }),
  E = (t, e, r, i, n) => b(t, [P(e), mn(r), i ?? []], n),
  wn = (t) =>
    t.isQuickTime
      ? b('ftyp', [v('qt  '), g(512), v('qt  ')])
      : t.fragmented
        ? t.cmaf
          ? b('ftyp', [v('iso5'), g(512), v('iso5'), v('iso6'), v('mp41'), v('cmfc'), v('dash')])
          : b('ftyp', [v('iso5'), g(512), v('iso5'), v('iso6'), v('mp41')])
        : b('ftyp', [v('isom'), g(512), v('isom'), t.holdsAvc ? v('avc1') : [], v('mp41')]),
  Ir = () => b('styp', [v('iso5'), g(0), v('iso5'), v('iso6'), v('mp41'), v('cmfc'), v('dash')]),
  Rr = (t, e) => {
    let r = Math.max(0, t.minWrittenTimestamp),
      i = Math.max(0, t.maxWrittenEndTimestamp - r);
    return (
      Number.isFinite(i) || (i = 0),
      E('sidx', 1, 0, [g(1), g(q), se(k(r, q)), se(0), T(0), T(1), g(e & 2147483647), g(k(i, q)), g(0)])
    );
  },
  St = (t) => ({ type: 'mdat', largeSize: t }),
  An = (t) => ({ type: 'free', size: t }),
  rt = (t) =>
    b('moov', void 0, [
      zs(t.creationTime, t.trackDatas),
      ...t.trackDatas.map((e) => Ds(e, t.creationTime)),
      t.isFragmented ? _o(t.trackDatas) : null,
      Mo(t),
    ]),
  zs = (t, e) => {
    let r = Math.max(0, ...e.map((o) => Math.max(0, k(De(o), q) + k(o.startTimestampOffset ?? 0, q)))),
      i = Math.max(0, ...e.map((o) => o.track.id)) + 1,
      n = !ae(t) || !ae(r),
      s = n ? se : g;
    return E('mvhd', +n, 0, [s(t), s(t), g(q), s(r), G(1), pn(1), Array(10).fill(0), gn(dr), Array(24).fill(0), g(i)]);
  },
  Ds = (t, e) => {
    let r = vn(t),
      i = t.startTimestampOffset !== null && t.startTimestampOffset !== 0;
    return b('trak', void 0, [
      Ws(t, e),
      i ? Ns(t) : null,
      Hs(t, e),
      r.name !== void 0 ? b('udta', void 0, [b('name', [...O.encode(r.name)])]) : null,
    ]);
  },
  Ws = (t, e) => {
    let r = Math.max(0, k(De(t), q) + k(t.startTimestampOffset ?? 0, q)),
      i = !ae(e) || !ae(r),
      n = i ? se : g,
      s;
    if (t.type === 'video' && t.track.metadata.transformationMatrix) s = t.track.metadata.transformationMatrix;
    else if (t.type === 'video') {
      let { rotation: c, flip: l } = t.track.metadata,
        d = qe(Rt(c ?? 0), jr(l ? -1 : 1, 1));
      s = qr(d, t.info.width, t.info.height);
    } else s = dr;
    let o = 2;
    t.track.metadata.disposition?.default !== !1 && (o |= 1);
    let a = t.type === 'video' ? 0 : t.type === 'audio' ? 1 : t.type === 'subtitle' ? 2 : D(t);
    return E('tkhd', +i, o, [
      n(e),
      n(e),
      g(t.track.id),
      g(0),
      n(r),
      Array(8).fill(0),
      T(0),
      T(a),
      pn(t.type === 'audio' ? 1 : 0),
      T(0),
      gn(s),
      G(t.type === 'video' ? t.info.width : 0),
      G(t.type === 'video' ? t.info.height : 0),
    ]);
  },
  Ns = (t) => {
    let e = t.startTimestampOffset;
    if ((f(e !== null), e > 0)) {
      let r = k(e, q),
        i = k(De(t), q),
        n = !ae(r) || !ae(i),
        s = n ? se : g,
        o = n ? un : me;
      return b('edts', void 0, [E('elst', n ? 1 : 0, 0, [g(2), s(r), o(-1), G(1), s(i), o(0), G(1)])]);
    } else {
      let r = k(-e, t.timescale),
        i = Math.max(0, k(De(t), q) + k(e, q)),
        n = !$r(r) || !ae(i),
        s = n ? se : g,
        o = n ? un : me;
      return b('edts', void 0, [E('elst', n ? 1 : 0, 0, [g(1), s(i), o(r), G(1)])]);
    }
  },
  Hs = (t, e) => b('mdia', void 0, [qs(t, e), Fr(!0, Ls[t.type], js[t.type]), Qs(t)]),
  qs = (t, e) => {
    let r = k(De(t), t.timescale),
      i = !ae(e) || !ae(r),
      n = i ? se : g;
    return E('mdhd', +i, 0, [n(e), n(e), g(t.timescale), n(r), T(_n(t.track.metadata.languageCode ?? Ot)), T(0)]);
  },
  Ls = { video: 'vide', audio: 'soun', subtitle: 'text' },
  js = { video: 'MediabunnyVideoHandler', audio: 'MediabunnySoundHandler', subtitle: 'MediabunnyTextHandler' },
  Fr = (t, e, r, i = '\0\0\0\0') => E('hdlr', 0, 0, [t ? v('mhlr') : g(0), v(e), v(i), g(0), g(0), v(r, !0)]),
  Qs = (t) => b('minf', void 0, [Xs[t.type](), Ys(), eo(t)]),
  $s = () => E('vmhd', 0, 1, [T(0), T(0), T(0), T(0)]),
  Gs = () => E('smhd', 0, 0, [T(0), T(0)]),
  Ks = () => E('nmhd', 0, 0),
  Xs = { video: $s, audio: Gs, subtitle: Ks },
  Ys = () => b('dinf', void 0, [Zs()]),
  Zs = () => E('dref', 0, 0, [g(1)], [Js()]),
  Js = () => E('url ', 0, 1),
  eo = (t) => {
    let e =
      t.compositionTimeOffsetTable.length > 1 ||
      t.compositionTimeOffsetTable.some((r) => r.sampleCompositionTimeOffset !== 0);
    return b('stbl', void 0, [to(t), yo(t), e ? So(t) : null, e ? Eo(t) : null, To(t), xo(t), Co(t), bo(t)]);
  },
  to = (t) => {
    let e;
    if (t.type === 'video') e = ro(Do(t.track.source._codec, t.info.decoderConfig.codec), t);
    else if (t.type === 'audio') {
      let r = En(t.track.source._codec, t.info.decoderConfig.codec, t.muxer.isQuickTime);
      (f(r), (e = co(r, t)));
    } else t.type === 'subtitle' && (e = wo(Ho[t.track.source._codec], t));
    return (f(e), E('stsd', 0, 0, [g(1)], [e]));
  },
  ro = (t, e) =>
    b(
      t,
      [
        Array(6).fill(0),
        T(1),
        T(0),
        T(0),
        Array(12).fill(0),
        T(e.info.width),
        T(e.info.height),
        g(4718592),
        g(4718592),
        g(0),
        T(1),
        P(Ue.length),
        v(Ue),
        Array(31 - Ue.length).fill(0),
        T(e.info.hasAlphaChannel ? 32 : 24),
        Pr(65535),
      ],
      [Wo[e.track.source._codec]?.(e) ?? null, io(e), Ft(e.info.decoderConfig.colorSpace) ? null : no(e), Or(e)],
    ),
  Or = (t) => (t.avgBitrate === 0 && t.maxBitrate === 0 ? null : b('btrt', [g(0), g(t.maxBitrate), g(t.avgBitrate)])),
  io = (t) =>
    t.info.pixelAspectRatio.num === t.info.pixelAspectRatio.den
      ? null
      : b('pasp', [g(t.info.pixelAspectRatio.num), g(t.info.pixelAspectRatio.den)]),
  no = (t) => {
    let e = t.info.decoderConfig.colorSpace;
    return b('colr', [
      v(t.muxer.isQuickTime ? 'nclc' : 'nclx'),
      T(e?.primaries != null ? we[e.primaries] : 2),
      T(e?.transfer != null ? Ae[e.transfer] : 2),
      T(e?.matrix != null ? ye[e.matrix] : 2),
      t.muxer.isQuickTime ? [] : P((e?.fullRange ? 1 : 0) << 7),
    ]);
  },
  so = (t) => t.info.decoderConfig && b('avcC', [...F(t.info.decoderConfig.description)]),
  oo = (t) => t.info.decoderConfig && b('hvcC', [...F(t.info.decoderConfig.description)]),
  fn = (t) => {
    if (!t.info.decoderConfig) return null;
    let e = t.info.decoderConfig,
      r = e.codec.split('.'),
      i = Number(r[1]),
      n = Number(r[2]),
      s = Number(r[3]),
      o = r[4] ? Number(r[4]) : 1,
      a = r[8] ? Number(r[8]) : Number(e.colorSpace?.fullRange ?? 0),
      c = (s << 4) + (o << 1) + a,
      l = r[5] ? Number(r[5]) : e.colorSpace?.primaries ? we[e.colorSpace.primaries] : 1,
      d = r[6] ? Number(r[6]) : e.colorSpace?.transfer ? Ae[e.colorSpace.transfer] : 1,
      u = r[7] ? Number(r[7]) : e.colorSpace?.matrix ? ye[e.colorSpace.matrix] : 1;
    return E('vpcC', 1, 0, [P(i), P(n), P(c), P(l), P(d), P(u), T(0)]);
  },
  ao = (t) => b('av1C', qt(t.info.decoderConfig.codec)),
  co = (t, e) => {
    let r = 0,
      i,
      n = 16,
      s = W.includes(e.track.source._codec);
    if (s) {
      let o = e.track.source._codec,
        { sampleSize: a } = re(o);
      ((n = 8 * a), n > 16 && (r = 1));
    }
    if ((e.muxer.isQuickTime && (r = 1), r === 0))
      i = [
        Array(6).fill(0),
        T(1),
        T(r),
        T(0),
        g(0),
        T(e.info.numberOfChannels),
        T(n),
        T(0),
        T(0),
        T(e.info.sampleRate < 2 ** 16 ? e.info.sampleRate : 0),
        T(0),
      ];
    else {
      let o = s ? 0 : -2;
      i = [
        Array(6).fill(0),
        T(1),
        T(r),
        T(0),
        g(0),
        T(e.info.numberOfChannels),
        T(Math.min(n, 16)),
        Pr(o),
        T(0),
        T(e.info.sampleRate < 2 ** 16 ? e.info.sampleRate : 0),
        T(0),
        s ? [g(1), g(n / 8), g((e.info.numberOfChannels * n) / 8)] : [g(0), g(0), g(0)],
        g(2),
      ];
    }
    return b(t, i, [No(e.track.source._codec, e.muxer.isQuickTime)?.(e) ?? null, Or(e)]);
  },
  Br = (t) => {
    let e;
    switch (t.track.source._codec) {
      case 'aac':
        e = 64;
        break;
      case 'mp3':
        e = 107;
        break;
      case 'vorbis':
        e = 221;
        break;
      default:
        throw new Error(`Unhandled audio codec: ${t.track.source._codec}`);
    }
    let r = [...P(e), ...P(21), ...mn(0), ...g(t.maxBitrate), ...g(t.avgBitrate)];
    if (t.info.decoderConfig.description) {
      let i = F(t.info.decoderConfig.description);
      r = [...r, ...P(5), ...kr(i.byteLength), ...i];
    }
    return (
      (r = [...T(1), ...P(0), ...P(4), ...kr(r.length), ...r, ...P(6), ...P(1), ...P(2)]),
      (r = [...P(3), ...kr(r.length), ...r]),
      E('esds', 0, 0, r)
    );
  },
  Ie = (t) => b('wave', void 0, [lo(t), uo(t), b('\0\0\0\0')]),
  lo = (t) => b('frma', [v(En(t.track.source._codec, t.info.decoderConfig.codec, t.muxer.isQuickTime))]),
  uo = (t) => {
    let { littleEndian: e } = re(t.track.source._codec);
    return b('enda', [T(+e)]);
  },
  fo = (t) => {
    let e = t.info.numberOfChannels,
      r = 3840,
      i = t.info.sampleRate,
      n = 0,
      s = 0,
      o = new Uint8Array(0),
      a = t.info.decoderConfig?.description;
    if (a) {
      f(a.byteLength >= 18);
      let c = F(a),
        l = Ht(c);
      ((e = l.outputChannelCount),
        (r = l.preSkip),
        (i = l.inputSampleRate),
        (n = l.outputGain),
        (s = l.channelMappingFamily),
        l.channelMappingTable && (o = l.channelMappingTable));
    }
    return b('dOps', [P(0), P(e), T(r), g(i), Pr(n), P(s), ...o]);
  },
  ho = (t) => {
    let e = t.info.decoderConfig?.description;
    f(e);
    let r = F(e);
    return E('dfLa', 0, 0, [...r.subarray(4)]);
  },
  fe = (t) => {
    let { littleEndian: e, sampleSize: r } = re(t.track.source._codec),
      i = +e;
    return E('pcmC', 0, 0, [P(i), P(8 * r)]);
  },
  mo = (t) => {
    f(t.info.primingPacket);
    let e = Pi(t.info.primingPacket.data);
    if (!e)
      throw new Error(
        "Couldn't extract AC-3 frame info from the audio packet. Ensure the packets contain valid AC-3 sync frames (as specified in ETSI TS 102 366).",
      );
    let r = new Uint8Array(3),
      i = new B(r);
    return (
      i.writeBits(2, e.fscod),
      i.writeBits(5, e.bsid),
      i.writeBits(3, e.bsmod),
      i.writeBits(3, e.acmod),
      i.writeBits(1, e.lfeon),
      i.writeBits(5, e.bitRateCode),
      i.writeBits(5, 0),
      b('dac3', [...r])
    );
  },
  po = (t) => {
    f(t.info.primingPacket);
    let e = Ii(t.info.primingPacket.data);
    if (!e)
      throw new Error(
        "Couldn't extract E-AC-3 frame info from the audio packet. Ensure the packets contain valid E-AC-3 sync frames (as specified in ETSI TS 102 366).",
      );
    let r = 16;
    for (let o of e.substreams) ((r += 23), o.numDepSub > 0 ? (r += 9) : (r += 1));
    let i = Math.ceil(r / 8),
      n = new Uint8Array(i),
      s = new B(n);
    (s.writeBits(13, e.dataRate), s.writeBits(3, e.substreams.length - 1));
    for (let o of e.substreams)
      (s.writeBits(2, o.fscod),
        s.writeBits(5, o.bsid),
        s.writeBits(1, 0),
        s.writeBits(1, 0),
        s.writeBits(3, o.bsmod),
        s.writeBits(3, o.acmod),
        s.writeBits(1, o.lfeon),
        s.writeBits(3, 0),
        s.writeBits(4, o.numDepSub),
        o.numDepSub > 0 ? s.writeBits(9, o.chanLoc) : s.writeBits(1, 0));
    return b('dec3', [...n]);
  },
  go = (t) => {
    f(t.info.primingPacket);
    let e = Ri(t.info.primingPacket.data);
    if (!e)
      throw new Error(
        "Couldn't extract DTS frame info from the audio packet. Ensure the packets contain valid DTS frames as specified in ETSI TS 102 114.",
      );
    return b('ddts', [...Fi(e)]);
  },
  wo = (t, e) => b(t, [Array(6).fill(0), T(1)], [qo[e.track.source._codec](e), Or(e)]),
  Ao = (t) => b('vttC', [...O.encode(t.info.config.description)]);
var yo = (t) =>
    E('stts', 0, 0, [
      g(t.timeToSampleTable.length),
      t.timeToSampleTable.map((e) => [g(e.sampleCount), g(e.sampleDelta)]),
    ]),
  bo = (t) => {
    if (t.samples.every((r) => r.type === 'key')) return null;
    let e = [...t.samples.entries()].filter(([, r]) => r.type === 'key');
    return E('stss', 0, 0, [g(e.length), e.map(([r]) => g(r + 1))]);
  },
  To = (t) =>
    E('stsc', 0, 0, [
      g(t.compactlyCodedChunkTable.length),
      t.compactlyCodedChunkTable.map((e) => [g(e.firstChunk), g(e.samplesPerChunk), g(1)]),
    ]),
  xo = (t) => {
    if (t.type === 'audio' && t.info.requiresPcmTransformation) {
      let { sampleSize: e } = re(t.track.source._codec);
      return E('stsz', 0, 0, [
        g(e * t.info.numberOfChannels),
        g(t.samples.reduce((r, i) => r + k(i.duration, t.timescale), 0)),
      ]);
    }
    return E('stsz', 0, 0, [g(0), g(t.samples.length), t.samples.map((e) => g(e.size))]);
  },
  Co = (t) =>
    t.finalizedChunks.length > 0 && z(t.finalizedChunks).offset >= 2 ** 32
      ? E('co64', 0, 0, [g(t.finalizedChunks.length), t.finalizedChunks.map((e) => se(e.offset))])
      : E('stco', 0, 0, [g(t.finalizedChunks.length), t.finalizedChunks.map((e) => g(e.offset))]),
  So = (t) =>
    E('ctts', 1, 0, [
      g(t.compositionTimeOffsetTable.length),
      t.compositionTimeOffsetTable.map((e) => [g(e.sampleCount), me(e.sampleCompositionTimeOffset)]),
    ]),
  Eo = (t) => {
    let e = 1 / 0,
      r = -1 / 0,
      i = 1 / 0,
      n = -1 / 0;
    (f(t.compositionTimeOffsetTable.length > 0), f(t.samples.length > 0));
    for (let o = 0; o < t.compositionTimeOffsetTable.length; o++) {
      let a = t.compositionTimeOffsetTable[o];
      ((e = Math.min(e, a.sampleCompositionTimeOffset)), (r = Math.max(r, a.sampleCompositionTimeOffset)));
    }
    for (let o = 0; o < t.samples.length; o++) {
      let a = t.samples[o];
      ((i = Math.min(i, k(a.timestamp, t.timescale))), (n = Math.max(n, k(a.timestamp + a.duration, t.timescale))));
    }
    let s = Math.max(-e, 0);
    return n >= 2 ** 31 ? null : E('cslg', 0, 0, [me(s), me(e), me(r), me(i), me(n)]);
  },
  _o = (t) => b('mvex', void 0, t.map(vo)),
  vo = (t) => E('trex', 0, 0, [g(t.track.id), g(1), g(0), g(0), g(0)]),
  Mr = (t, e) => b('moof', void 0, [ko(t), ...e.map(Bo)]),
  ko = (t) => E('mfhd', 0, 0, [g(t)]),
  yn = (t) => {
    let e = 0,
      r = 0,
      i = 0,
      n = 0,
      s = t.type === 'delta';
    return ((r |= +s), s ? (e |= 1) : (e |= 2), (e << 24) | (r << 16) | (i << 8) | n);
  },
  Bo = (t) => b('traf', void 0, [Po(t), Io(t), Ro(t)]),
  Po = (t) => {
    f(t.currentChunk);
    let e = 0;
    ((e |= 8), (e |= 16), (e |= 32), (e |= 131072));
    let r = t.currentChunk.samples[1] ?? t.currentChunk.samples[0],
      i = { duration: r.timescaleUnitsToNextSample, size: r.size, flags: yn(r) };
    return E('tfhd', 0, e, [g(t.track.id), g(i.duration), g(i.size), g(i.flags)]);
  },
  Io = (t) => (f(t.currentChunk), E('tfdt', 1, 0, [se(k(t.currentChunk.startTimestamp, t.timescale))])),
  Ro = (t) => {
    f(t.currentChunk);
    let e = t.currentChunk.samples.map((y) => y.timescaleUnitsToNextSample),
      r = t.currentChunk.samples.map((y) => y.size),
      i = t.currentChunk.samples.map(yn),
      n = t.currentChunk.samples.map((y) => k(y.timestamp - y.decodeTimestamp, t.timescale)),
      s = new Set(e),
      o = new Set(r),
      a = new Set(i),
      c = new Set(n),
      l = a.size === 2 && i[0] !== i[1],
      d = s.size > 1,
      u = o.size > 1,
      h = !l && a.size > 1,
      p = c.size > 1 || [...c].some((y) => y !== 0),
      w = 0;
    return (
      (w |= 1),
      (w |= 4 * +l),
      (w |= 256 * +d),
      (w |= 512 * +u),
      (w |= 1024 * +h),
      (w |= 2048 * +p),
      E('trun', 1, w, [
        g(t.currentChunk.samples.length),
        g(t.currentChunk.offset - t.currentChunk.moofOffset || 0),
        l ? g(i[0]) : [],
        t.currentChunk.samples.map((y, x) => [d ? g(e[x]) : [], u ? g(r[x]) : [], h ? g(i[x]) : [], p ? me(n[x]) : []]),
      ])
    );
  },
  bn = (t) => b('mfra', void 0, [...t.map(Fo), Oo()]),
  Fo = (t) =>
    E('tfra', 1, 0, [
      g(t.track.id),
      g(63),
      g(t.finalizedChunks.length),
      t.finalizedChunks.map((r) => [
        se(k(r.samples[0].timestamp, t.timescale)),
        se(r.moofOffset),
        g(r.trafIndex + 1),
        g(1),
        g(1),
      ]),
    ]),
  Oo = () => E('mfro', 0, 0, [g(0)]),
  Tn = () => b('vtte'),
  xn = (t, e, r, i, n) =>
    b('vttc', void 0, [
      n !== null ? b('vsid', [me(n)]) : null,
      r !== null ? b('iden', [...O.encode(r)]) : null,
      e !== null ? b('ctim', [...O.encode(Jt(e))]) : null,
      i !== null ? b('sttg', [...O.encode(i)]) : null,
      b('payl', [...O.encode(t)]),
    ]),
  Cn = (t) => b('vtta', [...O.encode(t)]),
  Mo = (t) => {
    let e = [],
      r = t.format._options.metadataFormat ?? 'auto',
      i = t.output._metadataTags;
    if (r === 'mdir' || (r === 'auto' && !t.isQuickTime)) {
      let n = Uo(i);
      n && e.push(n);
    } else if (r === 'mdta') {
      let n = zo(i);
      n && e.push(n);
    } else (r === 'udta' || (r === 'auto' && t.isQuickTime)) && Vo(e, t.output._metadataTags);
    return e.length === 0 ? null : b('udta', void 0, e);
  },
  Vo = (t, e) => {
    for (let { key: r, value: i } of $e(e))
      switch (r) {
        case 'title':
          t.push(he('\xA9nam', i));
          break;
        case 'description':
          t.push(he('\xA9des', i));
          break;
        case 'artist':
          t.push(he('\xA9ART', i));
          break;
        case 'album':
          t.push(he('\xA9alb', i));
          break;
        case 'albumArtist':
          t.push(he('albr', i));
          break;
        case 'genre':
          t.push(he('\xA9gen', i));
          break;
        case 'date':
          t.push(he('\xA9day', i.toISOString().slice(0, 10)));
          break;
        case 'comment':
          t.push(he('\xA9cmt', i));
          break;
        case 'lyrics':
          t.push(he('\xA9lyr', i));
          break;
        case 'raw':
          break;
        case 'discNumber':
        case 'discsTotal':
        case 'trackNumber':
        case 'tracksTotal':
        case 'beatsPerMinute':
        case 'images':
          break;
        default:
          D(r);
      }
    if (e.raw)
      for (let r in e.raw) {
        let i = e.raw[r];
        i == null ||
          r.length !== 4 ||
          t.some((n) => n.type === r) ||
          (typeof i == 'string' ? t.push(he(r, i)) : i instanceof Uint8Array && t.push(b(r, Array.from(i))));
      }
  },
  he = (t, e) => {
    let r = O.encode(e);
    return b(t, [T(r.length), T(_n('und')), Array.from(r)]);
  },
  hn = { 'image/jpeg': 13, 'image/png': 14, 'image/bmp': 27 },
  Sn = (t, e) => {
    let r = [];
    for (let { key: i, value: n } of $e(t))
      switch (i) {
        case 'title':
          r.push({ key: e ? 'title' : '\xA9nam', value: ne(n) });
          break;
        case 'description':
          r.push({ key: e ? 'description' : '\xA9des', value: ne(n) });
          break;
        case 'artist':
          r.push({ key: e ? 'artist' : '\xA9ART', value: ne(n) });
          break;
        case 'album':
          r.push({ key: e ? 'album' : '\xA9alb', value: ne(n) });
          break;
        case 'albumArtist':
          r.push({ key: e ? 'album_artist' : 'aART', value: ne(n) });
          break;
        case 'comment':
          r.push({ key: e ? 'comment' : '\xA9cmt', value: ne(n) });
          break;
        case 'genre':
          r.push({ key: e ? 'genre' : '\xA9gen', value: ne(n) });
          break;
        case 'beatsPerMinute':
          e || r.push({ key: 'tmpo', value: b('data', [g(21), g(0), T(n)]) });
          break;
        case 'lyrics':
          r.push({ key: e ? 'lyrics' : '\xA9lyr', value: ne(n) });
          break;
        case 'date':
          r.push({ key: e ? 'date' : '\xA9day', value: ne(n.toISOString().slice(0, 10)) });
          break;
        case 'images':
          for (let s of n)
            s.kind === 'coverFront' &&
              r.push({ key: 'covr', value: b('data', [g(hn[s.mimeType] ?? 0), g(0), Array.from(s.data)]) });
          break;
        case 'trackNumber':
          if (e) {
            let s = t.tracksTotal !== void 0 ? `${n}/${t.tracksTotal}` : n.toString();
            r.push({ key: 'track', value: ne(s) });
          } else r.push({ key: 'trkn', value: b('data', [g(0), g(0), T(0), T(n), T(t.tracksTotal ?? 0), T(0)]) });
          break;
        case 'discNumber':
          e || r.push({ key: 'disc', value: b('data', [g(0), g(0), T(0), T(n), T(t.discsTotal ?? 0), T(0)]) });
          break;
        case 'tracksTotal':
        case 'discsTotal':
          break;
        case 'raw':
          break;
        default:
          D(i);
      }
    if (t.raw)
      for (let i in t.raw) {
        let n = t.raw[i];
        n == null ||
          (!e && i.length !== 4) ||
          r.some((s) => s.key === i) ||
          (typeof n == 'string'
            ? r.push({ key: i, value: ne(n) })
            : n instanceof Uint8Array
              ? r.push({ key: i, value: b('data', [g(0), g(0), Array.from(n)]) })
              : n instanceof ht &&
                r.push({ key: i, value: b('data', [g(hn[n.mimeType] ?? 0), g(0), Array.from(n.data)]) }));
      }
    return r;
  },
  Uo = (t) => {
    let e = Sn(t, !1);
    return e.length === 0
      ? null
      : E('meta', 0, 0, void 0, [
          Fr(!1, 'mdir', '', 'appl'),
          b(
            'ilst',
            void 0,
            e.map((r) => b(r.key, void 0, [r.value])),
          ),
        ]);
  },
  zo = (t) => {
    let e = Sn(t, !0);
    return e.length === 0
      ? null
      : b('meta', void 0, [
          Fr(!1, 'mdta', ''),
          E(
            'keys',
            0,
            0,
            [g(e.length)],
            e.map((r) => b('mdta', [...O.encode(r.key)])),
          ),
          b(
            'ilst',
            void 0,
            e.map((r, i) => {
              let n = String.fromCharCode(...g(i + 1));
              return b(n, void 0, [r.value]);
            }),
          ),
        ]);
  },
  ne = (t) => b('data', [g(1), g(0), ...O.encode(t)]),
  Do = (t, e) => {
    switch (t) {
      case 'avc':
        return e.startsWith('avc3') ? 'avc3' : 'avc1';
      case 'hevc':
        return 'hvc1';
      case 'vp8':
        return 'vp08';
      case 'vp9':
        return 'vp09';
      case 'av1':
        return 'av01';
      case 'prores':
        return e;
    }
  },
  Wo = { avc: so, hevc: oo, vp8: fn, vp9: fn, av1: ao, prores: null },
  En = (t, e, r) => {
    switch (t) {
      case 'aac':
        return 'mp4a';
      case 'mp3':
        return 'mp4a';
      case 'opus':
        return 'Opus';
      case 'vorbis':
        return 'mp4a';
      case 'flac':
        return 'fLaC';
      case 'ulaw':
        return 'ulaw';
      case 'alaw':
        return 'alaw';
      case 'pcm-u8':
        return 'raw ';
      case 'pcm-s8':
        return 'sowt';
      case 'ac3':
        return 'ac-3';
      case 'eac3':
        return 'ec-3';
      case 'dts':
        return e;
    }
    if (r)
      switch (t) {
        case 'pcm-s16':
          return 'sowt';
        case 'pcm-s16be':
          return 'twos';
        case 'pcm-s24':
          return 'in24';
        case 'pcm-s24be':
          return 'in24';
        case 'pcm-s32':
          return 'in32';
        case 'pcm-s32be':
          return 'in32';
        case 'pcm-f32':
          return 'fl32';
        case 'pcm-f32be':
          return 'fl32';
        case 'pcm-f64':
          return 'fl64';
        case 'pcm-f64be':
          return 'fl64';
      }
    else
      switch (t) {
        case 'pcm-s16':
          return 'ipcm';
        case 'pcm-s16be':
          return 'ipcm';
        case 'pcm-s24':
          return 'ipcm';
        case 'pcm-s24be':
          return 'ipcm';
        case 'pcm-s32':
          return 'ipcm';
        case 'pcm-s32be':
          return 'ipcm';
        case 'pcm-f32':
          return 'fpcm';
        case 'pcm-f32be':
          return 'fpcm';
        case 'pcm-f64':
          return 'fpcm';
        case 'pcm-f64be':
          return 'fpcm';
      }
  },
  No = (t, e) => {
    switch (t) {
      case 'aac':
        return Br;
      case 'mp3':
        return Br;
      case 'opus':
        return fo;
      case 'vorbis':
        return Br;
      case 'flac':
        return ho;
      case 'ac3':
        return mo;
      case 'eac3':
        return po;
      case 'dts':
        return go;
    }
    if (e)
      switch (t) {
        case 'pcm-s24':
          return Ie;
        case 'pcm-s24be':
          return Ie;
        case 'pcm-s32':
          return Ie;
        case 'pcm-s32be':
          return Ie;
        case 'pcm-f32':
          return Ie;
        case 'pcm-f32be':
          return Ie;
        case 'pcm-f64':
          return Ie;
        case 'pcm-f64be':
          return Ie;
      }
    else
      switch (t) {
        case 'pcm-s16':
          return fe;
        case 'pcm-s16be':
          return fe;
        case 'pcm-s24':
          return fe;
        case 'pcm-s24be':
          return fe;
        case 'pcm-s32':
          return fe;
        case 'pcm-s32be':
          return fe;
        case 'pcm-f32':
          return fe;
        case 'pcm-f32be':
          return fe;
        case 'pcm-f64':
          return fe;
        case 'pcm-f64be':
          return fe;
      }
    return null;
  },
  Ho = { webvtt: 'wvtt' },
  qo = { webvtt: Ao },
  _n = (t) => {
    f(t.length === 3);
    let e = 0;
    for (let r = 0; r < 3; r++) ((e <<= 5), (e += t.charCodeAt(r) - 96));
    return e;
  };
/*!
 * Copyright (c) 2026-present, Vanilagy and contributors
 *
 * This Source Code Form is subject to the terms of the Mozilla Public
 * License, v. 2.0. If a copy of the MPL was not distributed with this
 * file, You can obtain one at https://mozilla.org/MPL/2.0/.
 */ var We = class {
  constructor(e, r) {
    if (
      ((this.finalized = !1),
      (this.started = !1),
      (this.pos = 0),
      (this.trackedWrites = null),
      (this.trackedStart = -1),
      (this.trackedEnd = -1),
      e._writerAcquired)
    )
      throw new Error("Can't have multiple Writers for the same Target.");
    ((this.target = e), e._setMonotonicity(r), (e._writerAcquired = !0));
  }
  start() {
    (f(!this.started), this.target._start(), (this.started = !0));
  }
  write(e) {
    (f(this.started && !this.finalized),
      this.maybeTrackWrites(e),
      this.target._write(e, this.pos),
      (this.pos += e.byteLength));
  }
  seek(e) {
    this.pos = e;
  }
  getPos() {
    return this.pos;
  }
  async flush() {
    return (f(this.started && !this.finalized), this.target._flush());
  }
  async finalize() {
    (f(this.started && !this.finalized), await this.target._finalize(), (this.finalized = !0));
  }
  maybeTrackWrites(e) {
    if (!this.trackedWrites) return;
    let r = this.getPos();
    if (r < this.trackedStart) {
      if (r + e.byteLength <= this.trackedStart) return;
      ((e = e.subarray(this.trackedStart - r)), (r = 0));
    }
    let i = r + e.byteLength - this.trackedStart,
      n = this.trackedWrites.byteLength;
    for (; n < i;) n *= 2;
    if (n !== this.trackedWrites.byteLength) {
      let s = new Uint8Array(n);
      (s.set(this.trackedWrites, 0), (this.trackedWrites = s));
    }
    (this.trackedWrites.set(e, r - this.trackedStart), (this.trackedEnd = Math.max(this.trackedEnd, r + e.byteLength)));
  }
  startTrackingWrites() {
    ((this.trackedWrites = new Uint8Array(2 ** 10)),
      (this.trackedStart = this.getPos()),
      (this.trackedEnd = this.trackedStart));
  }
  stopTrackingWrites() {
    if (!this.trackedWrites) throw new Error("Internal error: Can't get tracked writes since nothing was tracked.");
    let r = {
      data: this.trackedWrites.subarray(0, this.trackedEnd - this.trackedStart),
      start: this.trackedStart,
      end: this.trackedEnd,
    };
    return ((this.trackedWrites = null), r);
  }
};
/*!
 * Copyright (c) 2026-present, Vanilagy and contributors
 *
 * This Source Code Form is subject to the terms of the Mozilla Public
 * License, v. 2.0. If a copy of the MPL was not distributed with this
 * file, You can obtain one at https://mozilla.org/MPL/2.0/.
 */ var L = class extends Ce {
    constructor() {
      (super(...arguments), (this._writerAcquired = !1), (this._monotonicity = null), (this.onwrite = null));
    }
    _setMonotonicity(e) {
      this._monotonicity !== !1 && (this._monotonicity = e);
    }
    _dispatchWrite(e, r) {
      (this.onwrite?.(e, r), this._emit('write', { start: e, end: r }));
    }
    slice(e) {
      if (!Number.isInteger(e) || e < 0) throw new TypeError('offset must be a non-negative integer.');
      return new er(this, e);
    }
  },
  Vr = 2 ** 16,
  Ur = 2 ** 32,
  Re = class extends L {
    constructor(e = {}) {
      if ((super(), (this.buffer = null), (this._maxPos = 0), !e || typeof e != 'object'))
        throw new TypeError('BufferTarget options, when provided, must be an object.');
      if (e.onFinalize !== void 0 && typeof e.onFinalize != 'function')
        throw new TypeError('options.onFinalize, when provided, must be a function.');
      if (((this._options = e), (this._supportsResize = 'resize' in new ArrayBuffer(0)), this._supportsResize))
        try {
          this._buffer = new ArrayBuffer(Vr, { maxByteLength: Ur });
        } catch {
          ((this._buffer = new ArrayBuffer(Vr)), (this._supportsResize = !1));
        }
      else this._buffer = new ArrayBuffer(Vr);
      this._bytes = new Uint8Array(this._buffer);
    }
    _ensureSize(e) {
      let r = this._buffer.byteLength;
      for (; r < e;) r *= 2;
      if (r !== this._buffer.byteLength) {
        if (r > Ur)
          throw new Error(`ArrayBuffer exceeded maximum size of ${Ur} bytes. Please consider using another target.`);
        if (this._supportsResize) this._buffer.resize(r);
        else {
          let i = new ArrayBuffer(r),
            n = new Uint8Array(i);
          (n.set(this._bytes, 0), (this._buffer = i), (this._bytes = n));
        }
      }
    }
    _start() {}
    _write(e, r) {
      (this._ensureSize(r + e.byteLength),
        this._bytes.set(e, r),
        (this._maxPos = Math.max(this._maxPos, r + e.byteLength)),
        this._dispatchWrite(r, r + e.byteLength));
    }
    async _flush() {}
    async _finalize() {
      ((this.buffer = this._buffer.slice(0, this._maxPos)),
        this._options.onFinalize && (await this._options.onFinalize(this.buffer)),
        this._emit('finalized'));
    }
    async _close() {}
    _getSlice(e, r) {
      return this._bytes.slice(e, r);
    }
  },
  pc = 2 ** 24;
var er = class extends L {
    constructor(e, r) {
      (super(), (this._baseTarget = e), (this._offset = r));
    }
    _start() {}
    _write(e, r) {
      (this._baseTarget._write(e, this._offset + r), this._dispatchWrite(r, r + e.byteLength));
    }
    _flush() {
      return this._baseTarget._flush();
    }
    async _finalize() {
      this._emit('finalized');
    }
    async _close() {}
    _setMonotonicity(e) {
      (super._setMonotonicity(e), this._baseTarget._setMonotonicity(e));
    }
  },
  Ne = class {
    constructor(e, r) {
      if (((this.rootPath = e), (this.getTarget = r), typeof e != 'string'))
        throw new TypeError('rootPath must be a string.');
      if (typeof r != 'function') throw new TypeError('getTarget must be a function.');
    }
  };
/*!
 * Copyright (c) 2026-present, Vanilagy and contributors
 *
 * This Source Code Form is subject to the terms of the Mozilla Public
 * License, v. 2.0. If a copy of the MPL was not distributed with this
 * file, You can obtain one at https://mozilla.org/MPL/2.0/.
 */ var q = 57600,
  Lo = 2082844800,
  vn = (t) => {
    let e = {},
      r = t.track;
    return (r.metadata.name !== void 0 && (e.name = r.metadata.name), e);
  },
  k = (t, e, r = !0) => {
    let i = t * e;
    return r ? Math.round(i) : i;
  },
  De = (t) => {
    if (t.samples.length === 0) return 0;
    let e = 1 / 0,
      r = -1 / 0;
    for (let i = 0; i < t.samples.length; i++) {
      let n = t.samples[i];
      (n.timestamp < e && (e = n.timestamp), n.timestamp + n.duration > r && (r = n.timestamp + n.duration));
    }
    return e === 1 / 0 ? 0 : r - e;
  },
  tr = class extends et {
    constructor(e, r) {
      (super(e),
        (this.writer = null),
        (this.boxWriter = null),
        (this.initWriter = null),
        (this.initBoxWriter = null),
        (this.auxTarget = new Re()),
        (this.auxWriter = new We(this.auxTarget, !1)),
        (this.auxBoxWriter = new ze(this.auxWriter)),
        (this.mdat = null),
        (this.ftypSize = null),
        (this.trackDatas = []),
        (this.allTracksKnown = je()),
        (this.creationTime = Math.floor(Date.now() / 1e3) + Lo),
        (this.finalizedChunks = []),
        (this.wroteFragmentedHeader = !1),
        (this.nextFragmentNumber = 1),
        (this.maxWrittenTimestamp = -1 / 0),
        (this.minWrittenTimestamp = 1 / 0),
        (this.maxWrittenEndTimestamp = -1 / 0),
        (this.segmentHeaderSize = null),
        (this.format = r),
        (this.formatOptions = { ...r._options }),
        (this.isQuickTime = r instanceof nt),
        (this.isCmaf = r instanceof it),
        (this.minimumFragmentDuration = this.formatOptions.minimumFragmentDuration ?? (r instanceof it ? 1 / 0 : 1)),
        this.auxWriter.start());
    }
    async start() {
      let e = await this.mutex.acquire();
      if (
        (this.isCmaf
          ? ((this.fastStart = 'fragmented'), (this.isFragmented = !0))
          : ((this.writer = await this.output._getRootWriter((i) =>
              this.formatOptions.fastStart !== void 0 ? this.formatOptions.fastStart === 'fragmented' : i instanceof Re,
            )),
            (this.boxWriter = new ze(this.writer)),
            (this.fastStart = this.formatOptions.fastStart ?? (this.writer.target instanceof Re ? 'in-memory' : !1)),
            (this.isFragmented = this.fastStart === 'fragmented')),
        this.isCmaf)
      ) {
        if (!this.output._hasInitTarget())
          throw new Error(
            'CMAF outputs require the initTarget field in OutputOptions to be set; the init segment will be written to it.',
          );
        let i = await this.output._getInitTarget(),
          n = new We(i, !0);
        (n.start(), (this.initWriter = n), (this.initBoxWriter = new ze(n)));
      }
      let r = this.output.tracks.some((i) => i.isVideoTrack() && i.source._codec === 'avc');
      {
        let i = this.initBoxWriter ?? this.boxWriter;
        if (
          (f(i),
          this.formatOptions.onFtyp && i.writer.startTrackingWrites(),
          i.writeBox(
            wn({ isQuickTime: this.isQuickTime, holdsAvc: r, fragmented: this.isFragmented, cmaf: this.isCmaf }),
          ),
          this.formatOptions.onFtyp)
        ) {
          let { data: n, start: s } = i.writer.stopTrackingWrites();
          this.formatOptions.onFtyp(n, s);
        }
        ((this.ftypSize = i.writer.getPos()), this.isCmaf && (await this.initWriter.flush()));
      }
      if (this.fastStart !== 'in-memory')
        if (this.fastStart === 'reserve') {
          for (let i of this.output.tracks)
            if (i.metadata.maximumPacketCount === void 0)
              throw new Error(
                "All tracks must specify maximumPacketCount in their metadata when using fastStart: 'reserve'.",
              );
        } else
          this.isFragmented ||
            (f(this.writer),
            f(this.boxWriter),
            this.formatOptions.onMdat && this.writer.startTrackingWrites(),
            (this.mdat = St(!0)),
            this.boxWriter.writeBox(this.mdat));
      await this.writer?.flush();
      for (let i of this.output.tracks)
        i.isVideoTrack() && i.metadata.decoderConfig
          ? this.getVideoTrackData(i, i.metadata.primingPacket ?? null, { decoderConfig: i.metadata.decoderConfig })
          : i.isAudioTrack() &&
            i.metadata.decoderConfig &&
            this.getAudioTrackData(i, i.metadata.primingPacket ?? null, { decoderConfig: i.metadata.decoderConfig });
      e();
    }
    allTracksAreKnown() {
      for (let e of this.output.tracks) if (!e.source._closed && !this.trackDatas.some((r) => r.track === e)) return !1;
      return !0;
    }
    async getMimeType() {
      await this.allTracksKnown.promise;
      let e = this.trackDatas.map((r) =>
        r.type === 'video' || r.type === 'audio'
          ? r.info.decoderConfig.codec
          : { webvtt: 'wvtt' }[r.track.source._codec],
      );
      return Hi({
        isQuickTime: this.isQuickTime,
        hasVideo: this.trackDatas.some((r) => r.type === 'video'),
        hasAudio: this.trackDatas.some((r) => r.type === 'audio'),
        codecStrings: e,
      });
    }
    getVideoTrackData(e, r, i) {
      let n = this.trackDatas.find((p) => p.track === e);
      if (n) return n;
      (Xe(i, e.source._codec), f(i), f(i.decoderConfig));
      let s = { ...i.decoderConfig };
      (f(s.codedWidth !== void 0), f(s.codedHeight !== void 0));
      let o = !1;
      if (e.source._codec === 'avc' && !s.description) {
        if (!r) throw new Error('No AVC description provided; you must therefore provide a priming packet.');
        let p = Si(r.data);
        if (!p)
          throw new Error(
            "Couldn't extract an AVCDecoderConfigurationRecord from the AVC packet. Make sure the packets are in Annex B format (as specified in ITU-T-REC-H.264) when not providing a description, or provide a description (must be an AVCDecoderConfigurationRecord as specified in ISO 14496-15) and ensure the packets are in AVCC format.",
          );
        ((s.description = Ei(p)), (o = !0));
      } else if (e.source._codec === 'hevc' && !s.description) {
        if (!r) throw new Error('No HEVC description provided; you must therefore provide a priming packet.');
        let p = vi(r.data);
        if (!p)
          throw new Error(
            "Couldn't extract an HEVCDecoderConfigurationRecord from the HEVC packet. Make sure the packets are in Annex B format (as specified in ITU-T-REC-H.265) when not providing a description, or provide a description (must be an HEVCDecoderConfigurationRecord as specified in ISO 14496-15) and ensure the packets are in HEVC format.",
          );
        ((s.description = ki(p)), (o = !0));
      }
      let a = Zr(1 / (e.metadata.frameRate ?? q), 1e6).den,
        c = s.displayAspectWidth,
        l = s.displayAspectHeight,
        d = c === void 0 || l === void 0 ? { num: 1, den: 1 } : Ge({ num: c * s.codedHeight, den: l * s.codedWidth }),
        u = s.codec === 'ap4h' || s.codec === 'ap4x',
        h = {
          muxer: this,
          track: e,
          type: 'video',
          info: {
            width: s.codedWidth,
            height: s.codedHeight,
            pixelAspectRatio: d,
            decoderConfig: s,
            requiresAnnexBTransformation: o,
            hasAlphaChannel: u,
          },
          timescale: a,
          samples: [],
          sampleQueue: [],
          timestampProcessingQueue: [],
          timeToSampleTable: [],
          compositionTimeOffsetTable: [],
          lastTimescaleUnits: null,
          lastSample: null,
          startTimestampOffset: null,
          finalizedChunks: [],
          currentChunk: null,
          compactlyCodedChunkTable: [],
          closed: !1,
          avgBitrate: e.source._nominalBitrate ?? e.metadata.averageBitrate ?? 0,
          maxBitrate: e.source._nominalBitrate ?? e.metadata.bitrate ?? 0,
        };
      return (
        this.trackDatas.push(h),
        this.trackDatas.sort((p, w) => p.track.id - w.track.id),
        this.allTracksAreKnown() && this.allTracksKnown.resolve(),
        h
      );
    }
    getAudioTrackData(e, r, i) {
      let n = this.trackDatas.find((c) => c.track === e);
      if (n) return n;
      (Ye(i, e.source._codec), f(i), f(i.decoderConfig));
      let s = { ...i.decoderConfig },
        o = !1;
      if (e.source._codec === 'aac' && !s.description) {
        if (!r) throw new Error('No AAC description provided; you must therefore provide a priming packet.');
        let c = Je(Pe.tempFromBytes(r.data));
        if (!c)
          throw new Error(
            "Couldn't parse ADTS header from the AAC packet. Make sure the packets are in ADTS format (as specified in ISO 13818-7) when not providing a description, or provide a description (must be an AudioSpecificConfig as specified in ISO 14496-3) and ensure the packets are raw AAC data.",
          );
        let l = pt[c.samplingFrequencyIndex],
          d = gt[c.channelConfiguration];
        if (l === void 0 || d === void 0) throw new Error('Invalid ADTS frame header.');
        ((s.description = Wt({ objectType: c.objectType, outputSampleRate: l, outputNumberOfChannels: d })), (o = !0));
      }
      if (!r) {
        if (e.source._codec === 'ac3' || e.source._codec === 'eac3')
          throw new Error('AC-3/E-AC-3 require a priming packet.');
        if (e.source._codec === 'dts') throw new Error('DTS requires a priming packet.');
      }
      let a = {
        muxer: this,
        track: e,
        type: 'audio',
        info: {
          numberOfChannels: i.decoderConfig.numberOfChannels,
          sampleRate: i.decoderConfig.sampleRate,
          decoderConfig: s,
          requiresPcmTransformation: !this.isFragmented && W.includes(e.source._codec),
          expectedNextPcmPacketTimestamp: null,
          requiresAdtsStripping: o,
          primingPacket: r,
        },
        timescale: s.sampleRate,
        samples: [],
        sampleQueue: [],
        timestampProcessingQueue: [],
        timeToSampleTable: [],
        compositionTimeOffsetTable: [],
        lastTimescaleUnits: null,
        lastSample: null,
        startTimestampOffset: null,
        finalizedChunks: [],
        currentChunk: null,
        compactlyCodedChunkTable: [],
        closed: !1,
        avgBitrate: e.source._nominalBitrate ?? e.metadata.averageBitrate ?? 0,
        maxBitrate: e.source._nominalBitrate ?? e.metadata.bitrate ?? 0,
      };
      return (
        this.trackDatas.push(a),
        this.trackDatas.sort((c, l) => c.track.id - l.track.id),
        this.allTracksAreKnown() && this.allTracksKnown.resolve(),
        a
      );
    }
    getSubtitleTrackData(e, r) {
      let i = this.trackDatas.find((s) => s.track === e);
      if (i) return i;
      (jt(r), f(r), f(r.config));
      let n = {
        muxer: this,
        track: e,
        type: 'subtitle',
        info: { config: r.config },
        timescale: 1e3,
        samples: [],
        sampleQueue: [],
        timestampProcessingQueue: [],
        timeToSampleTable: [],
        compositionTimeOffsetTable: [],
        lastTimescaleUnits: null,
        lastSample: null,
        startTimestampOffset: null,
        finalizedChunks: [],
        currentChunk: null,
        compactlyCodedChunkTable: [],
        closed: !1,
        avgBitrate: e.source._nominalBitrate ?? e.metadata.averageBitrate ?? 0,
        maxBitrate: e.source._nominalBitrate ?? e.metadata.bitrate ?? 0,
        lastCueEndTimestamp: null,
        cueQueue: [],
        nextSourceId: 0,
        cueToSourceId: new WeakMap(),
      };
      return (
        this.trackDatas.push(n),
        this.trackDatas.sort((s, o) => s.track.id - o.track.id),
        this.allTracksAreKnown() && this.allTracksKnown.resolve(),
        n
      );
    }
    async addEncodedVideoPacket(e, r, i) {
      let n = await this.mutex.acquire();
      try {
        let s = this.getVideoTrackData(e, r, i),
          o = r.data;
        if (s.info.requiresAnnexBTransformation) {
          let c = [...Ke(o)].map((l) => o.subarray(l.offset, l.offset + l.length));
          if (c.length === 0)
            throw new Error(
              'Failed to transform packet data. Make sure all packets are provided in Annex B format, as specified in ITU-T-REC-H.264 and ITU-T-REC-H.265.',
            );
          o = Ci(c, 4);
        }
        this.validateTimestamp(s.track, r.timestamp, r.type === 'key');
        let a = this.createSampleForTrack(s, o, r.timestamp, r.duration, r.type);
        await this.registerSample(s, a);
      } finally {
        n();
      }
    }
    async addEncodedAudioPacket(e, r, i) {
      let n = await this.mutex.acquire();
      try {
        let s = this.getAudioTrackData(e, r, i),
          o = r.data;
        if (s.info.requiresAdtsStripping) {
          let d = Je(Pe.tempFromBytes(o));
          if (!d) throw new Error("Expected ADTS frame, didn't get one.");
          let u = d.crcCheck === null ? Gt : Kt;
          o = o.subarray(u);
        }
        this.validateTimestamp(s.track, r.timestamp, r.type === 'key');
        let a = r.timestamp,
          c = r.duration;
        if (s.info.requiresPcmTransformation) {
          let u = re(s.info.decoderConfig.codec).sampleSize * s.info.numberOfChannels;
          if (((c = o.byteLength / u / s.info.sampleRate), s.info.expectedNextPcmPacketTimestamp !== null)) {
            let h = a - s.info.expectedNextPcmPacketTimestamp;
            if (h < 0.01) a = s.info.expectedNextPcmPacketTimestamp;
            else {
              let p = await this.padWithSilence(s, s.info.expectedNextPcmPacketTimestamp, h);
              a = s.info.expectedNextPcmPacketTimestamp + p;
            }
          }
          s.info.expectedNextPcmPacketTimestamp = a + c;
        }
        let l = this.createSampleForTrack(s, o, a, c, r.type);
        await this.registerSample(s, l);
      } finally {
        n();
      }
    }
    async padWithSilence(e, r, i) {
      let n = k(i, e.timescale);
      if (((i = n / e.timescale), n > 0)) {
        let { sampleSize: s, silentValue: o } = re(e.info.decoderConfig.codec),
          a = n * e.info.numberOfChannels,
          c = new Uint8Array(s * a).fill(o),
          l = this.createSampleForTrack(e, new Uint8Array(c.buffer), r, i, 'key');
        await this.registerSample(e, l);
      }
      return i;
    }
    async addSubtitleCue(e, r, i) {
      let n = await this.mutex.acquire();
      try {
        let s = this.getSubtitleTrackData(e, i);
        (this.validateTimestamp(s.track, r.timestamp, !0),
          e.source._codec === 'webvtt' && (s.cueQueue.push(r), await this.processWebVTTCues(s, r.timestamp)));
      } finally {
        n();
      }
    }
    async processWebVTTCues(e, r) {
      for (; e.cueQueue.length > 0;) {
        e.lastCueEndTimestamp ??= Math.min(0, e.cueQueue[0].timestamp);
        let i = new Set([]);
        for (let l of e.cueQueue)
          (f(l.timestamp <= r),
            f(e.lastCueEndTimestamp <= l.timestamp + l.duration),
            i.add(Math.max(l.timestamp, e.lastCueEndTimestamp)),
            i.add(l.timestamp + l.duration));
        let n = [...i].sort((l, d) => l - d),
          s = n[0],
          o = n[1] ?? s;
        if (r < o) break;
        if (e.lastCueEndTimestamp < s) {
          this.auxWriter.seek(0);
          let l = Tn();
          this.auxBoxWriter.writeBox(l);
          let d = this.auxTarget._getSlice(0, this.auxWriter.getPos()),
            u = this.createSampleForTrack(e, d, e.lastCueEndTimestamp, s - e.lastCueEndTimestamp, 'key');
          (await this.registerSample(e, u), (e.lastCueEndTimestamp = s));
        }
        this.auxWriter.seek(0);
        for (let l = 0; l < e.cueQueue.length; l++) {
          let d = e.cueQueue[l];
          if (d.timestamp >= o) break;
          tt.lastIndex = 0;
          let u = tt.test(d.text),
            h = d.timestamp + d.duration,
            p = e.cueToSourceId.get(d);
          if ((p === void 0 && o < h && ((p = e.nextSourceId++), e.cueToSourceId.set(d, p)), d.notes)) {
            let y = Cn(d.notes);
            this.auxBoxWriter.writeBox(y);
          }
          let w = xn(d.text, u ? s : null, d.identifier ?? null, d.settings ?? null, p ?? null);
          (this.auxBoxWriter.writeBox(w), h === o && e.cueQueue.splice(l--, 1));
        }
        let a = this.auxTarget._getSlice(0, this.auxWriter.getPos()),
          c = this.createSampleForTrack(e, a, s, o - s, 'key');
        (await this.registerSample(e, c), (e.lastCueEndTimestamp = o));
      }
    }
    createSampleForTrack(e, r, i, n, s) {
      return {
        timestamp: i,
        decodeTimestamp: i,
        duration: n,
        data: r,
        size: r.byteLength,
        type: s,
        timescaleUnitsToNextSample: k(n, e.timescale),
      };
    }
    processTimestamps(e, r) {
      if (e.timestampProcessingQueue.length === 0) return;
      if (e.type === 'audio' && e.info.requiresPcmTransformation) {
        (f(!this.isFragmented), (e.startTimestampOffset ??= e.timestampProcessingQueue[0].timestamp));
        let n = 0;
        for (let s = 0; s < e.timestampProcessingQueue.length; s++) {
          let o = e.timestampProcessingQueue[s],
            a = k(o.duration, e.timescale);
          n += a;
        }
        if (e.timeToSampleTable.length === 0) e.timeToSampleTable.push({ sampleCount: n, sampleDelta: 1 });
        else {
          let s = z(e.timeToSampleTable);
          s.sampleCount += n;
        }
        e.timestampProcessingQueue.length = 0;
        return;
      }
      let i = e.timestampProcessingQueue.map((n) => n.timestamp).sort((n, s) => n - s);
      this.isFragmented ? (e.startTimestampOffset ??= Math.min(i[0], 0)) : (e.startTimestampOffset ??= i[0]);
      for (let n = 0; n < e.timestampProcessingQueue.length; n++) {
        let s = e.timestampProcessingQueue[n];
        s.decodeTimestamp = i[n];
        let o = k(s.timestamp - s.decodeTimestamp, e.timescale),
          a = k(s.duration, e.timescale);
        if (e.lastTimescaleUnits !== null) {
          f(e.lastSample);
          let c = k(s.decodeTimestamp, e.timescale, !1),
            l = Math.round(c - e.lastTimescaleUnits);
          if (
            (f(l >= 0), (e.lastTimescaleUnits += l), (e.lastSample.timescaleUnitsToNextSample = l), !this.isFragmented)
          ) {
            let d = z(e.timeToSampleTable);
            if ((f(d), d.sampleCount === 1)) {
              d.sampleDelta = l;
              let h = e.timeToSampleTable[e.timeToSampleTable.length - 2];
              h && h.sampleDelta === l && (h.sampleCount++, e.timeToSampleTable.pop(), (d = h));
            } else
              d.sampleDelta !== l &&
                (d.sampleCount--, e.timeToSampleTable.push((d = { sampleCount: 1, sampleDelta: l })));
            d.sampleDelta === a ? d.sampleCount++ : e.timeToSampleTable.push({ sampleCount: 1, sampleDelta: a });
            let u = z(e.compositionTimeOffsetTable);
            (f(u),
              u.sampleCompositionTimeOffset === o
                ? u.sampleCount++
                : e.compositionTimeOffsetTable.push({ sampleCount: 1, sampleCompositionTimeOffset: o }));
          }
        } else
          ((e.lastTimescaleUnits = k(s.decodeTimestamp, e.timescale, !1)),
            this.isFragmented ||
              (e.timeToSampleTable.push({ sampleCount: 1, sampleDelta: a }),
              e.compositionTimeOffsetTable.push({ sampleCount: 1, sampleCompositionTimeOffset: o })));
        e.lastSample = s;
      }
      if (
        ((e.timestampProcessingQueue.length = 0),
        f(e.lastSample),
        f(e.lastTimescaleUnits !== null),
        r !== void 0 && e.lastSample.timescaleUnitsToNextSample === 0)
      ) {
        f(r.type === 'key');
        let n = k(r.timestamp, e.timescale, !1),
          s = Math.round(n - e.lastTimescaleUnits);
        e.lastSample.timescaleUnitsToNextSample = s;
      }
    }
    async registerSample(e, r) {
      (r.type === 'key' && this.processTimestamps(e, r),
        e.timestampProcessingQueue.push(r),
        this.isFragmented
          ? (e.sampleQueue.push(r), await this.interleaveSamples())
          : this.fastStart === 'reserve'
            ? await this.registerSampleFastStartReserve(e, r)
            : await this.addSampleToTrack(e, r));
    }
    async addSampleToTrack(e, r) {
      if (!this.isFragmented && (e.samples.push(r), this.fastStart === 'reserve')) {
        let n = e.track.metadata.maximumPacketCount;
        if ((f(n !== void 0), e.samples.length > n))
          throw new Error(
            `Track #${e.track.id} has already reached the maximum packet count (${n}). Either add less packets or increase the maximum packet count.`,
          );
      }
      let i = !1;
      if (!e.currentChunk) i = !0;
      else {
        e.currentChunk.startTimestamp = Math.min(e.currentChunk.startTimestamp, r.timestamp);
        let n = r.timestamp - e.currentChunk.startTimestamp;
        if (this.isFragmented) {
          let s = this.trackDatas.every((o) => {
            if (e === o) return r.type === 'key';
            let a = o.sampleQueue[0];
            return a ? a.type === 'key' : o.closed;
          });
          n >= this.minimumFragmentDuration &&
            s &&
            r.timestamp > this.maxWrittenTimestamp &&
            ((i = !0), await this.finalizeFragment());
        } else i = n >= 0.5;
      }
      (i &&
        (e.currentChunk && (await this.finalizeCurrentChunk(e)),
        (e.currentChunk = {
          startTimestamp: r.timestamp,
          samples: [],
          offset: null,
          moofOffset: null,
          trafIndex: null,
        })),
        f(e.currentChunk),
        e.currentChunk.samples.push(r),
        this.isFragmented &&
          ((this.maxWrittenTimestamp = Math.max(this.maxWrittenTimestamp, r.timestamp)),
          (this.maxWrittenEndTimestamp = Math.max(this.maxWrittenEndTimestamp, r.timestamp + r.duration)),
          (this.minWrittenTimestamp = Math.min(this.minWrittenTimestamp, r.timestamp))));
    }
    async finalizeCurrentChunk(e) {
      if ((f(!this.isFragmented), f(this.writer), !e.currentChunk)) return;
      (e.finalizedChunks.push(e.currentChunk), this.finalizedChunks.push(e.currentChunk));
      let r = e.currentChunk.samples.length;
      if (
        (e.type === 'audio' &&
          e.info.requiresPcmTransformation &&
          (r = e.currentChunk.samples.reduce((i, n) => i + k(n.duration, e.timescale), 0)),
        (e.compactlyCodedChunkTable.length === 0 || z(e.compactlyCodedChunkTable).samplesPerChunk !== r) &&
          e.compactlyCodedChunkTable.push({ firstChunk: e.finalizedChunks.length, samplesPerChunk: r }),
        this.fastStart === 'in-memory')
      ) {
        e.currentChunk.offset = 0;
        return;
      }
      e.currentChunk.offset = this.writer.getPos();
      for (let i of e.currentChunk.samples) (f(i.data), this.writer.write(i.data), (i.data = null));
      await this.writer.flush();
    }
    async interleaveSamples(e = !1) {
      if ((f(this.isFragmented), !(!e && !this.allTracksAreKnown())))
        e: for (;;) {
          let r = null,
            i = 1 / 0;
          for (let s of this.trackDatas) {
            if (!e && s.sampleQueue.length === 0 && !s.closed) break e;
            s.sampleQueue.length > 0 && s.sampleQueue[0].timestamp < i && ((r = s), (i = s.sampleQueue[0].timestamp));
          }
          if (!r) break;
          let n = r.sampleQueue.shift();
          await this.addSampleToTrack(r, n);
        }
    }
    async finalizeFragment(e = !this.isCmaf) {
      if ((f(this.isFragmented), !this.wroteFragmentedHeader)) {
        this.wroteFragmentedHeader = !0;
        let p = this.initBoxWriter ?? this.boxWriter;
        (f(p), this.formatOptions.onMoov && p.writer.startTrackingWrites(), this.ensureOneEnabledTrack());
        let w = rt(this);
        if ((p.writeBox(w), this.formatOptions.onMoov)) {
          let { data: y, start: x } = p.writer.stopTrackingWrites();
          this.formatOptions.onMoov(y, x);
        }
        if (this.isCmaf) {
          (f(this.initWriter),
            await this.initWriter.flush(),
            await this.initWriter.finalize(),
            (this.writer = await this.output._getRootWriter(!0)),
            (this.boxWriter = new ze(this.writer)));
          let y = this.boxWriter.measureBox(Ir()),
            x = this.boxWriter.measureBox(Rr(this, 0));
          ((this.segmentHeaderSize = y + x), this.writer.seek(this.segmentHeaderSize));
        }
      }
      (f(this.writer), f(this.boxWriter));
      let r = this.trackDatas.filter((p) => p.currentChunk);
      if (r.length === 0) {
        e && (await this.writer.flush());
        return;
      }
      let i = this.nextFragmentNumber++,
        n = Mr(i, r),
        s = this.writer.getPos(),
        o = s + this.boxWriter.measureBox(n),
        a = o + Qt,
        c = 1 / 0;
      for (let p = 0; p < r.length; p++) {
        let w = r[p];
        (f(w.currentChunk),
          f(w.startTimestampOffset !== null),
          (w.currentChunk.offset = a),
          (w.currentChunk.moofOffset = s),
          (w.currentChunk.trafIndex = p),
          (w.currentChunk.startTimestamp -= w.startTimestampOffset));
        for (let y of w.currentChunk.samples)
          ((a += y.size), (y.timestamp -= w.startTimestampOffset), (y.decodeTimestamp -= w.startTimestampOffset));
        c = Math.min(c, w.currentChunk.startTimestamp);
      }
      let l = a - o,
        d = l >= 2 ** 32;
      if (d) for (let p of r) p.currentChunk.offset += br - Qt;
      this.formatOptions.onMoof && this.writer.startTrackingWrites();
      let u = Mr(i, r);
      if ((this.boxWriter.writeBox(u), this.formatOptions.onMoof)) {
        let { data: p, start: w } = this.writer.stopTrackingWrites();
        this.formatOptions.onMoof(p, w, c);
      }
      (f(this.writer.getPos() === o), this.formatOptions.onMdat && this.writer.startTrackingWrites());
      let h = St(d);
      ((h.size = l), this.boxWriter.writeBox(h), this.writer.seek(o + (d ? br : Qt)));
      for (let p of r) for (let w of p.currentChunk.samples) (this.writer.write(w.data), (w.data = null));
      if (this.formatOptions.onMdat) {
        let { data: p, start: w } = this.writer.stopTrackingWrites();
        this.formatOptions.onMdat(p, w);
      }
      for (let p of r)
        (p.finalizedChunks.push(p.currentChunk), this.finalizedChunks.push(p.currentChunk), (p.currentChunk = null));
      e && (await this.writer.flush());
    }
    async registerSampleFastStartReserve(e, r) {
      this.allTracksAreKnown()
        ? (this.mdat || (await this.createFastStartReserveMdat()), await this.addSampleToTrack(e, r))
        : e.sampleQueue.push(r);
    }
    async createFastStartReserveMdat() {
      (f(this.writer), f(this.boxWriter), this.ensureOneEnabledTrack());
      let e = rt(this),
        i = this.boxWriter.measureBox(e) + this.computeSampleTableSizeUpperBound() + 4096;
      (f(this.ftypSize !== null),
        this.writer.seek(this.ftypSize + i),
        this.formatOptions.onMdat && this.writer.startTrackingWrites(),
        (this.mdat = St(!0)),
        this.boxWriter.writeBox(this.mdat));
      for (let n of this.trackDatas) {
        for (let s of n.sampleQueue) await this.addSampleToTrack(n, s);
        n.sampleQueue.length = 0;
      }
    }
    computeSampleTableSizeUpperBound() {
      f(this.fastStart === 'reserve');
      let e = 0;
      for (let r of this.trackDatas) {
        let i = r.track.metadata.maximumPacketCount;
        (f(i !== void 0),
          (e += 8 * Math.ceil((2 / 3) * i)),
          (e += 4 * i),
          (e += 8 * Math.ceil((2 / 3) * i)),
          (e += 12 * Math.ceil((2 / 3) * i)),
          (e += 4 * i),
          (e += 8 * i));
      }
      return e;
    }
    async onTrackClose(e) {
      let r = await this.mutex.acquire(),
        i = this.trackDatas.find((n) => n.track === e);
      (i &&
        ((i.closed = !0),
        i.type === 'subtitle' && e.source._codec === 'webvtt' && (await this.processWebVTTCues(i, 1 / 0)),
        this.processTimestamps(i)),
        this.allTracksAreKnown() && this.allTracksKnown.resolve(),
        this.isFragmented && (await this.interleaveSamples()),
        r());
    }
    ensureOneEnabledTrack() {
      for (let e of ['video', 'audio', 'subtitle']) {
        let r = this.trackDatas.filter((n) => n.type === e);
        if (r.length === 0) continue;
        if (!r.some((n) => n.track.metadata.disposition?.default !== !1)) {
          let n = r[0];
          n.track.metadata.disposition = { ...n.track.metadata.disposition, default: !0 };
        }
      }
    }
    async forceFragmentFinalization() {
      f(this.isFragmented);
      let e = await this.mutex.acquire();
      try {
        for (let r of this.trackDatas)
          (r.type === 'subtitle' && r.track.source._codec === 'webvtt' && (await this.processWebVTTCues(r, 1 / 0)),
            this.processTimestamps(r));
        (await this.interleaveSamples(!0), await this.finalizeFragment());
      } finally {
        e();
      }
    }
    async finalize() {
      let e = await this.mutex.acquire();
      (this.allTracksKnown.resolve(),
        this.ensureOneEnabledTrack(),
        !this.mdat && this.fastStart === 'reserve' && (await this.createFastStartReserveMdat()));
      for (let r of this.trackDatas)
        ((r.closed = !0),
          r.type === 'subtitle' && r.track.source._codec === 'webvtt' && (await this.processWebVTTCues(r, 1 / 0)),
          this.processTimestamps(r));
      if (this.isFragmented) (await this.interleaveSamples(!0), await this.finalizeFragment(!1));
      else
        for (let r of this.trackDatas) {
          await this.finalizeCurrentChunk(r);
          let i = De(r);
          if (i > 0) {
            let a = 0;
            for (let c of r.samples) a += c.size;
            r.avgBitrate = Math.round((8 * a) / i);
          } else r.avgBitrate = 0;
          let n = 0,
            s = 0,
            o = 0;
          for (let a = 0; a < r.samples.length; a++) {
            let c = r.samples[a];
            for (s += c.size; c.decodeTimestamp - r.samples[n].decodeTimestamp >= 1;) ((s -= r.samples[n].size), n++);
            o = Math.max(o, s);
          }
          if (((r.maxBitrate = 8 * o), r.startTimestampOffset !== null))
            for (let a = 0; a < r.samples.length; a++) {
              let c = r.samples[a];
              ((c.timestamp -= r.startTimestampOffset), (c.decodeTimestamp -= r.startTimestampOffset));
            }
        }
      if ((f(this.writer), f(this.boxWriter), this.fastStart === 'in-memory')) {
        this.mdat = St(!1);
        let r;
        for (let n = 0; n < 2; n++) {
          let s = rt(this),
            o = this.boxWriter.measureBox(s);
          r = this.boxWriter.measureBox(this.mdat);
          let a = this.writer.getPos() + o + r;
          for (let c of this.finalizedChunks) {
            c.offset = a;
            for (let { data: l } of c.samples) (f(l), (a += l.byteLength), (r += l.byteLength));
          }
          if (a < 2 ** 32) break;
          r >= 2 ** 32 && (this.mdat.largeSize = !0);
        }
        this.formatOptions.onMoov && this.writer.startTrackingWrites();
        let i = rt(this);
        if ((this.boxWriter.writeBox(i), this.formatOptions.onMoov)) {
          let { data: n, start: s } = this.writer.stopTrackingWrites();
          this.formatOptions.onMoov(n, s);
        }
        (this.formatOptions.onMdat && this.writer.startTrackingWrites(),
          (this.mdat.size = r),
          this.boxWriter.writeBox(this.mdat));
        for (let n of this.finalizedChunks)
          for (let s of n.samples) (f(s.data), this.writer.write(s.data), (s.data = null));
        if (this.formatOptions.onMdat) {
          let { data: n, start: s } = this.writer.stopTrackingWrites();
          this.formatOptions.onMdat(n, s);
        }
      } else if (this.isFragmented)
        if (this.isCmaf) {
          let r = this.segmentHeaderSize !== null ? this.writer.getPos() - this.segmentHeaderSize : 0;
          (this.writer.seek(0), this.boxWriter.writeBox(Ir()), this.boxWriter.writeBox(Rr(this, r)));
        } else {
          let r = this.writer.getPos(),
            i = bn(this.trackDatas);
          this.boxWriter.writeBox(i);
          let n = this.writer.getPos() - r;
          (this.writer.seek(this.writer.getPos() - 4), this.boxWriter.writeU32(n));
        }
      else {
        f(this.mdat);
        let r = this.boxWriter.offsets.get(this.mdat);
        f(r !== void 0);
        let i = this.writer.getPos() - r;
        if (
          ((this.mdat.size = i),
          (this.mdat.largeSize = i >= 2 ** 32),
          this.boxWriter.patchBox(this.mdat),
          this.formatOptions.onMdat)
        ) {
          let { data: s, start: o } = this.writer.stopTrackingWrites();
          this.formatOptions.onMdat(s, o);
        }
        let n = rt(this);
        if (this.fastStart === 'reserve') {
          (f(this.ftypSize !== null),
            this.writer.seek(this.ftypSize),
            this.formatOptions.onMoov && this.writer.startTrackingWrites(),
            this.boxWriter.writeBox(n));
          let s = this.boxWriter.offsets.get(this.mdat) - this.writer.getPos();
          this.boxWriter.writeBox(An(s));
        } else (this.formatOptions.onMoov && this.writer.startTrackingWrites(), this.boxWriter.writeBox(n));
        if (this.formatOptions.onMoov) {
          let { data: s, start: o } = this.writer.stopTrackingWrites();
          this.formatOptions.onMoov(s, o);
        }
      }
      e();
    }
  };
/*!
 * Copyright (c) 2026-present, Vanilagy and contributors
 *
 * This Source Code Form is subject to the terms of the Mozilla Public
 * License, v. 2.0. If a copy of the MPL was not distributed with this
 * file, You can obtain one at https://mozilla.org/MPL/2.0/.
 */ var jo = -(2 ** 15),
  Qo = 2 ** 15 - 1,
  kn = 6,
  Bn = 5,
  $o = { video: 1, audio: 2, subtitle: 17 },
  rr = class extends et {
    constructor(e, r) {
      (super(e),
        (this.trackDatas = []),
        (this.allTracksKnown = je()),
        (this.segment = null),
        (this.segmentInfo = null),
        (this.seekHead = null),
        (this.tracksElement = null),
        (this.tagsElement = null),
        (this.attachmentsElement = null),
        (this.segmentDuration = null),
        (this.cues = null),
        (this.currentCluster = null),
        (this.currentClusterStartMsTimestamp = null),
        (this.currentClusterMaxMsTimestamp = null),
        (this.trackDatasInCurrentCluster = new Map()),
        (this.startTimestamp = 1 / 0),
        (this.endTimestamp = -1 / 0),
        (this.warnedAboutTooNegativeTimestamp = !1),
        (this.format = r));
    }
    async start() {
      let e = await this.mutex.acquire();
      ((this.writer = await this.output._getRootWriter(!!this.format._options.appendOnly)),
        (this.ebmlWriter = new $t(this.writer)),
        this.writeEBMLHeader(),
        this.createSegmentInfo(),
        this.createCues(),
        await this.writer.flush());
      for (let r of this.output.tracks)
        r.isVideoTrack() && r.metadata.decoderConfig
          ? this.getVideoTrackData(r, r.metadata.primingPacket ?? null, { decoderConfig: r.metadata.decoderConfig })
          : r.isAudioTrack() &&
            r.metadata.decoderConfig &&
            this.getAudioTrackData(r, r.metadata.primingPacket ?? null, { decoderConfig: r.metadata.decoderConfig });
      e();
    }
    writeEBMLHeader() {
      this.format._options.onEbmlHeader && this.writer.startTrackingWrites();
      let e = {
        id: m.EBML,
        data: [
          { id: m.EBMLVersion, data: 1 },
          { id: m.EBMLReadVersion, data: 1 },
          { id: m.EBMLMaxIDLength, data: 4 },
          { id: m.EBMLMaxSizeLength, data: 8 },
          { id: m.DocType, data: this.format instanceof Fe ? 'webm' : 'matroska' },
          { id: m.DocTypeVersion, data: 4 },
          { id: m.DocTypeReadVersion, data: 2 },
        ],
      };
      if ((this.ebmlWriter.writeEBML(e), this.format._options.onEbmlHeader)) {
        let { data: r, start: i } = this.writer.stopTrackingWrites();
        this.format._options.onEbmlHeader(r, i);
      }
    }
    maybeCreateSeekHead(e) {
      if (this.format._options.appendOnly) return;
      let r = new Uint8Array([28, 83, 187, 107]),
        i = new Uint8Array([21, 73, 169, 102]),
        n = new Uint8Array([22, 84, 174, 107]),
        s = new Uint8Array([25, 65, 164, 105]),
        o = new Uint8Array([18, 84, 195, 103]),
        a = {
          id: m.SeekHead,
          data: [
            {
              id: m.Seek,
              data: [
                { id: m.SeekID, data: i },
                {
                  id: m.SeekPosition,
                  size: 5,
                  data: e ? this.ebmlWriter.offsets.get(this.segmentInfo) - this.segmentDataOffset : 0,
                },
              ],
            },
            {
              id: m.Seek,
              data: [
                { id: m.SeekID, data: n },
                {
                  id: m.SeekPosition,
                  size: 5,
                  data: e ? this.ebmlWriter.offsets.get(this.tracksElement) - this.segmentDataOffset : 0,
                },
              ],
            },
            this.attachmentsElement
              ? {
                  id: m.Seek,
                  data: [
                    { id: m.SeekID, data: s },
                    {
                      id: m.SeekPosition,
                      size: 5,
                      data: e ? this.ebmlWriter.offsets.get(this.attachmentsElement) - this.segmentDataOffset : 0,
                    },
                  ],
                }
              : null,
            this.tagsElement
              ? {
                  id: m.Seek,
                  data: [
                    { id: m.SeekID, data: o },
                    {
                      id: m.SeekPosition,
                      size: 5,
                      data: e ? this.ebmlWriter.offsets.get(this.tagsElement) - this.segmentDataOffset : 0,
                    },
                  ],
                }
              : null,
            {
              id: m.Seek,
              data: [
                { id: m.SeekID, data: r },
                {
                  id: m.SeekPosition,
                  size: 5,
                  data: e ? this.ebmlWriter.offsets.get(this.cues) - this.segmentDataOffset : 0,
                },
              ],
            },
          ],
        };
      this.seekHead = a;
    }
    createSegmentInfo() {
      let e = { id: m.Duration, data: new Ze(0) };
      this.segmentDuration = e;
      let r = {
        id: m.Info,
        data: [
          { id: m.TimestampScale, data: 1e6 },
          { id: m.MuxingApp, data: Ue },
          { id: m.WritingApp, data: Ue },
          this.format._options.appendOnly ? null : e,
        ],
      };
      this.segmentInfo = r;
    }
    createTracks() {
      let e = { id: m.Tracks, data: [] };
      this.tracksElement = e;
      for (let r of this.trackDatas) {
        let i = Qi[r.track.source._codec];
        (f(i),
          r.type === 'audio' &&
            r.track.source._codec === 'dts' &&
            (r.info.decoderConfig.codec === 'dtse'
              ? (i = 'A_DTS/EXPRESS')
              : r.info.decoderConfig.codec === 'dtsl' && (i = 'A_DTS/LOSSLESS')));
        let n = 0;
        if (r.type === 'audio' && r.track.source._codec === 'opus') {
          n = 1e6 * 80;
          let s = r.info.decoderConfig.description;
          if (s) {
            let o = F(s),
              a = Ht(o);
            n = Math.round(1e9 * (a.preSkip / zi));
          }
        }
        e.data.push({
          id: m.TrackEntry,
          data: [
            { id: m.TrackNumber, data: r.track.id },
            { id: m.TrackUID, data: r.track.id },
            { id: m.TrackType, data: $o[r.type] },
            r.track.metadata.disposition?.default === !1 ? { id: m.FlagDefault, data: 0 } : null,
            r.track.metadata.disposition?.forced ? { id: m.FlagForced, data: 1 } : null,
            r.track.metadata.disposition?.hearingImpaired ? { id: m.FlagHearingImpaired, data: 1 } : null,
            r.track.metadata.disposition?.visuallyImpaired ? { id: m.FlagVisualImpaired, data: 1 } : null,
            r.track.metadata.disposition?.original ? { id: m.FlagOriginal, data: 1 } : null,
            r.track.metadata.disposition?.commentary ? { id: m.FlagCommentary, data: 1 } : null,
            { id: m.FlagLacing, data: 0 },
            { id: m.Language, data: r.track.metadata.languageCode ?? Ot },
            { id: m.CodecID, data: i },
            r.codecPrivate ? { id: m.CodecPrivate, data: F(r.codecPrivate) } : null,
            n > 0 ? { id: m.SeekPreRoll, data: n } : null,
            r.track.metadata.name !== void 0 ? { id: m.Name, data: new ie(r.track.metadata.name) } : null,
            r.type === 'video' ? this.videoSpecificTrackInfo(r) : null,
            r.type === 'audio' ? this.audioSpecificTrackInfo(r) : null,
            r.type === 'subtitle' ? this.subtitleSpecificTrackInfo(r) : null,
          ],
        });
      }
    }
    videoSpecificTrackInfo(e) {
      let { frameRate: r, transformationMatrix: i } = e.track.metadata,
        n = [r ? { id: m.DefaultDuration, data: 1e9 / r } : null],
        s,
        o,
        a;
      if (i) {
        s = Lr(i);
        let w = qe(Rt(-s), i);
        ((o = Math.sign(w[0])), (a = Math.sign(w[4])), a === -1 && ((a = 1), (o = -o), (s = ut(s + 180))));
      } else ((s = e.track.metadata.rotation ?? 0), (o = e.track.metadata.flip ? -1 : 1), (a = 1));
      let c = s ? ut(o === -1 ? s : -s) : 0,
        l = Math.round(Math.acos(o) * It),
        d = Math.round(Math.acos(a) * It),
        u = !!e.info.aspectRatio && e.info.aspectRatio.num * e.info.height !== e.info.aspectRatio.den * e.info.width,
        h = e.info.decoderConfig.colorSpace,
        p = {
          id: m.Video,
          data: [
            { id: m.PixelWidth, data: e.info.width },
            { id: m.PixelHeight, data: e.info.height },
            u ? { id: m.DisplayWidth, data: e.info.aspectRatio.num } : null,
            u ? { id: m.DisplayHeight, data: e.info.aspectRatio.den } : null,
            u ? { id: m.DisplayUnit, data: 3 } : null,
            e.info.alphaMode ? { id: m.AlphaMode, data: 1 } : null,
            Ft(h)
              ? null
              : {
                  id: m.Colour,
                  data: [
                    { id: m.MatrixCoefficients, data: h?.matrix != null ? ye[h.matrix] : 2 },
                    { id: m.TransferCharacteristics, data: h?.transfer != null ? Ae[h.transfer] : 2 },
                    { id: m.Primaries, data: h?.primaries != null ? we[h.primaries] : 2 },
                    { id: m.Range, data: h?.fullRange != null ? (h.fullRange ? 2 : 1) : 0 },
                  ],
                },
            c || l || d
              ? {
                  id: m.Projection,
                  data: [
                    { id: m.ProjectionType, data: 0 },
                    l ? { id: m.ProjectionPoseYaw, data: new ke(l) } : null,
                    d ? { id: m.ProjectionPosePitch, data: new ke(d) } : null,
                    c ? { id: m.ProjectionPoseRoll, data: new ke(((c + 180) % 360) - 180) } : null,
                  ],
                }
              : null,
          ],
        };
      return (n.push(p), n);
    }
    audioSpecificTrackInfo(e) {
      let r = W.includes(e.track.source._codec) ? re(e.track.source._codec) : null;
      return [
        {
          id: m.Audio,
          data: [
            { id: m.SamplingFrequency, data: new ke(e.info.sampleRate) },
            { id: m.Channels, data: e.info.numberOfChannels },
            r ? { id: m.BitDepth, data: 8 * r.sampleSize } : null,
          ],
        },
      ];
    }
    subtitleSpecificTrackInfo(e) {
      return [];
    }
    maybeCreateTags() {
      let e = [],
        r = (s, o) => {
          e.push({
            id: m.SimpleTag,
            data: [
              { id: m.TagName, data: new ie(s) },
              typeof o == 'string' ? { id: m.TagString, data: new ie(o) } : { id: m.TagBinary, data: o },
            ],
          });
        },
        i = this.output._metadataTags,
        n = new Set();
      for (let { key: s, value: o } of $e(i))
        switch (s) {
          case 'title':
            (r('TITLE', o), n.add('TITLE'));
            break;
          case 'description':
            (r('DESCRIPTION', o), n.add('DESCRIPTION'));
            break;
          case 'artist':
            (r('ARTIST', o), n.add('ARTIST'));
            break;
          case 'album':
            (r('ALBUM', o), n.add('ALBUM'));
            break;
          case 'albumArtist':
            (r('ALBUM_ARTIST', o), n.add('ALBUM_ARTIST'));
            break;
          case 'genre':
            (r('GENRE', o), n.add('GENRE'));
            break;
          case 'beatsPerMinute':
            (r('BPM', o.toString()), n.add('BPM'));
            break;
          case 'comment':
            (r('COMMENT', o), n.add('COMMENT'));
            break;
          case 'lyrics':
            (r('LYRICS', o), n.add('LYRICS'));
            break;
          case 'date':
            (r('DATE', o.toISOString().slice(0, 10)), n.add('DATE'));
            break;
          case 'trackNumber':
            {
              let a = i.tracksTotal !== void 0 ? `${o}/${i.tracksTotal}` : o.toString();
              (r('PART_NUMBER', a), n.add('PART_NUMBER'));
            }
            break;
          case 'discNumber':
            {
              let a = i.discsTotal !== void 0 ? `${o}/${i.discsTotal}` : o.toString();
              (r('DISC', a), n.add('DISC'));
            }
            break;
          case 'tracksTotal':
          case 'discsTotal':
            break;
          case 'images':
          case 'raw':
            break;
          default:
            D(s);
        }
      if (i.raw)
        for (let s in i.raw) {
          let o = i.raw[s];
          o == null || n.has(s) || ((typeof o == 'string' || o instanceof Uint8Array) && r(s, o));
        }
      e.length !== 0 &&
        (this.tagsElement = {
          id: m.Tags,
          data: [
            {
              id: m.Tag,
              data: [
                {
                  id: m.Targets,
                  data: [
                    { id: m.TargetTypeValue, data: 50 },
                    { id: m.TargetType, data: 'MOVIE' },
                  ],
                },
                ...e,
              ],
            },
          ],
        });
    }
    maybeCreateAttachments() {
      let e = this.output._metadataTags,
        r = [],
        i = new Set(),
        n = e.images ?? [];
      for (let s of n) {
        let o = s.name;
        o === void 0 &&
          (o =
            (s.kind === 'coverFront' ? 'cover' : s.kind === 'coverBack' ? 'back' : 'image') + (ri(s.mimeType) ?? ''));
        let a;
        for (;;) {
          a = 0n;
          for (let c = 0; c < 8; c++) ((a <<= 8n), (a |= BigInt(Math.floor(Math.random() * 256))));
          if (a !== 0n && !i.has(a)) break;
        }
        (i.add(a),
          r.push({
            id: m.AttachedFile,
            data: [
              s.description !== void 0 ? { id: m.FileDescription, data: new ie(s.description) } : null,
              { id: m.FileName, data: new ie(o) },
              { id: m.FileMediaType, data: s.mimeType },
              { id: m.FileData, data: s.data },
              { id: m.FileUID, data: a },
            ],
          }));
      }
      for (let [s, o] of Object.entries(e.raw ?? {}))
        !(o instanceof mt) ||
          !/^\d+$/.test(s) ||
          n.find((c) => c.mimeType === o.mimeType && ii(c.data, o.data)) ||
          r.push({
            id: m.AttachedFile,
            data: [
              o.description !== void 0 ? { id: m.FileDescription, data: new ie(o.description) } : null,
              { id: m.FileName, data: new ie(o.name ?? '') },
              { id: m.FileMediaType, data: o.mimeType ?? '' },
              { id: m.FileData, data: o.data },
              { id: m.FileUID, data: BigInt(s) },
            ],
          });
      r.length !== 0 && (this.attachmentsElement = { id: m.Attachments, data: r });
    }
    createSegment() {
      (this.createTracks(), this.maybeCreateTags(), this.maybeCreateAttachments(), this.maybeCreateSeekHead(!1));
      let e = {
        id: m.Segment,
        size: this.format._options.appendOnly ? -1 : kn,
        data: [this.seekHead, this.segmentInfo, this.tracksElement, this.attachmentsElement, this.tagsElement],
      };
      if (
        ((this.segment = e),
        this.format._options.onSegmentHeader && this.writer.startTrackingWrites(),
        this.ebmlWriter.writeEBML(e),
        this.format._options.onSegmentHeader)
      ) {
        let { data: r, start: i } = this.writer.stopTrackingWrites();
        this.format._options.onSegmentHeader(r, i);
      }
    }
    createCues() {
      this.cues = { id: m.Cues, data: [] };
    }
    get segmentDataOffset() {
      return (f(this.segment), this.ebmlWriter.dataOffsets.get(this.segment));
    }
    allTracksAreKnown() {
      for (let e of this.output.tracks) if (!e.source._closed && !this.trackDatas.some((r) => r.track === e)) return !1;
      return !0;
    }
    async getMimeType() {
      await this.allTracksKnown.promise;
      let e = this.trackDatas.map((r) =>
        r.type === 'video' || r.type === 'audio'
          ? r.info.decoderConfig.codec
          : { webvtt: 'wvtt' }[r.track.source._codec],
      );
      return $i({
        isWebM: this.format instanceof Fe,
        hasVideo: this.trackDatas.some((r) => r.type === 'video'),
        hasAudio: this.trackDatas.some((r) => r.type === 'audio'),
        codecStrings: e,
      });
    }
    getVideoTrackData(e, r, i) {
      let n = this.trackDatas.find((l) => l.track === e);
      if (n) return n;
      (Xe(i, e.source._codec),
        f(i),
        f(i.decoderConfig),
        f(i.decoderConfig.codedWidth !== void 0),
        f(i.decoderConfig.codedHeight !== void 0));
      let s = i.decoderConfig.displayAspectWidth,
        o = i.decoderConfig.displayAspectHeight,
        a = s === void 0 || o === void 0 ? null : Ge({ num: s, den: o }),
        c = {
          track: e,
          type: 'video',
          info: {
            width: i.decoderConfig.codedWidth,
            height: i.decoderConfig.codedHeight,
            aspectRatio: a,
            decoderConfig: i.decoderConfig,
            alphaMode: e.metadata.canBeTransparent || (r ? !!r.sideData.alpha : null),
          },
          chunkQueue: [],
          lastWrittenMsTimestamp: null,
          codecPrivate: i.decoderConfig.description ?? null,
          closed: !1,
        };
      return (
        e.source._codec === 'vp9'
          ? (c.codecPrivate = new Uint8Array(Ui(c.info.decoderConfig.codec)))
          : e.source._codec === 'av1'
            ? (c.codecPrivate = new Uint8Array(qt(c.info.decoderConfig.codec)))
            : e.source._codec === 'prores' && (c.codecPrivate = O.encode(i.decoderConfig.codec)),
        this.trackDatas.push(c),
        this.trackDatas.sort((l, d) => l.track.id - d.track.id),
        this.allTracksAreKnown() && this.allTracksKnown.resolve(),
        c
      );
    }
    getAudioTrackData(e, r, i) {
      let n = this.trackDatas.find((c) => c.track === e);
      if (n) return n;
      (Ye(i, e.source._codec), f(i), f(i.decoderConfig));
      let s = { ...i.decoderConfig },
        o = !1;
      if (e.source._codec === 'aac' && !s.description) {
        if (!r) throw new Error('No AAC description provided; you must therefore provide a priming packet.');
        let c = Je(Pe.tempFromBytes(r.data));
        if (!c)
          throw new Error(
            "Couldn't parse ADTS header from the AAC packet. Make sure the packets are in ADTS format (as specified in ISO 13818-7) when not providing a description, or provide a description (must be an AudioSpecificConfig as specified in ISO 14496-3) and ensure the packets are raw AAC data.",
          );
        let l = pt[c.samplingFrequencyIndex],
          d = gt[c.channelConfiguration];
        if (l === void 0 || d === void 0) throw new Error('Invalid ADTS frame header.');
        ((s.description = Wt({ objectType: c.objectType, outputSampleRate: l, outputNumberOfChannels: d })), (o = !0));
      }
      let a = {
        track: e,
        type: 'audio',
        info: {
          numberOfChannels: i.decoderConfig.numberOfChannels,
          sampleRate: i.decoderConfig.sampleRate,
          decoderConfig: s,
          requiresAdtsStripping: o,
        },
        chunkQueue: [],
        lastWrittenMsTimestamp: null,
        codecPrivate: s.description ?? null,
        closed: !1,
      };
      return (
        this.trackDatas.push(a),
        this.trackDatas.sort((c, l) => c.track.id - l.track.id),
        this.allTracksAreKnown() && this.allTracksKnown.resolve(),
        a
      );
    }
    getSubtitleTrackData(e, r) {
      let i = this.trackDatas.find((s) => s.track === e);
      if (i) return i;
      (jt(r), f(r), f(r.config));
      let n = {
        track: e,
        type: 'subtitle',
        info: { config: r.config },
        chunkQueue: [],
        lastWrittenMsTimestamp: null,
        codecPrivate: O.encode(r.config.description),
        closed: !1,
      };
      return (
        this.trackDatas.push(n),
        this.trackDatas.sort((s, o) => s.track.id - o.track.id),
        this.allTracksAreKnown() && this.allTracksKnown.resolve(),
        n
      );
    }
    async addEncodedVideoPacket(e, r, i) {
      let n = await this.mutex.acquire();
      try {
        let s = this.getVideoTrackData(e, r, i);
        s.info.alphaMode ??= !!r.sideData.alpha;
        let o = r.data;
        if (e.source._codec === 'prores') {
          if (o.byteLength < 8) throw new Error('ProRes packet too small, expected at least 8 bytes.');
          o = o.subarray(8);
        }
        let a = r.type === 'key';
        this.validateTimestamp(s.track, r.timestamp, a);
        let c = r.timestamp,
          l = r.duration;
        e.metadata.frameRate !== void 0 && ((c = Vt(c, e.metadata.frameRate)), (l = Vt(l, e.metadata.frameRate)));
        let d = s.info.alphaMode ? (r.sideData.alpha ?? null) : null,
          u = this.createInternalChunk(o, c, l, r.type, d);
        (e.source._codec === 'vp9' && this.fixVP9ColorSpace(s, u), s.chunkQueue.push(u), await this.interleaveChunks());
      } finally {
        n();
      }
    }
    async addEncodedAudioPacket(e, r, i) {
      let n = await this.mutex.acquire();
      try {
        let s = this.getAudioTrackData(e, r, i),
          o = r.data;
        if (s.info.requiresAdtsStripping) {
          let l = Je(Pe.tempFromBytes(o));
          if (!l) throw new Error("Expected ADTS frame, didn't get one.");
          let d = l.crcCheck === null ? Gt : Kt;
          o = o.subarray(d);
        }
        let a = r.type === 'key';
        this.validateTimestamp(s.track, r.timestamp, a);
        let c = this.createInternalChunk(o, r.timestamp, r.duration, r.type);
        (s.chunkQueue.push(c), await this.interleaveChunks());
      } finally {
        n();
      }
    }
    async addSubtitleCue(e, r, i) {
      let n = await this.mutex.acquire();
      try {
        let s = this.getSubtitleTrackData(e, i);
        this.validateTimestamp(s.track, r.timestamp, !0);
        let o = r.text,
          a = Math.round(r.timestamp * 1e3);
        ((tt.lastIndex = 0),
          (o = o.replace(tt, (u) => {
            let p = dn(u.slice(1, -1)) - a;
            return `<${Jt(p)}>`;
          })));
        let c = O.encode(o),
          l = `${r.settings ?? ''}
${r.identifier ?? ''}
${r.notes ?? ''}`,
          d = this.createInternalChunk(c, r.timestamp, r.duration, 'key', l.trim() ? O.encode(l) : null);
        (s.chunkQueue.push(d), await this.interleaveChunks());
      } finally {
        n();
      }
    }
    async interleaveChunks(e = !1) {
      if (!(!e && !this.allTracksAreKnown())) {
        e: for (;;) {
          let r = null,
            i = 1 / 0;
          for (let s of this.trackDatas) {
            if (!e && s.chunkQueue.length === 0 && !s.closed) break e;
            s.chunkQueue.length > 0 && s.chunkQueue[0].timestamp < i && ((r = s), (i = s.chunkQueue[0].timestamp));
          }
          if (!r) break;
          let n = r.chunkQueue.shift();
          this.writeBlock(r, n);
        }
        e || (await this.writer.flush());
      }
    }
    fixVP9ColorSpace(e, r) {
      if (r.type !== 'key' || !e.info.decoderConfig.colorSpace || !e.info.decoderConfig.colorSpace.matrix) return;
      let i = new B(r.data);
      i.skipBits(2);
      let n = i.readBits(1),
        o = (i.readBits(1) << 1) + n;
      if (
        (o === 3 && i.skipBits(1), i.readBits(1) || i.readBits(1) !== 0 || (i.skipBits(2), i.readBits(24) !== 4817730))
      )
        return;
      o >= 2 && i.skipBits(1);
      let d = { rgb: 7, bt709: 2, bt470bg: 1, smpte170m: 3 }[e.info.decoderConfig.colorSpace.matrix];
      Gr(r.data, i.pos, i.pos + 3, d);
    }
    createInternalChunk(e, r, i, n, s = null) {
      return { data: e, type: n, timestamp: r, duration: i, additions: s };
    }
    writeBlock(e, r) {
      this.segment || this.createSegment();
      let i = Math.round(1e3 * r.timestamp),
        n = this.trackDatas.every((u) => {
          if (e === u) return r.type === 'key';
          let h = u.chunkQueue[0];
          return h ? h.type === 'key' : u.closed;
        }),
        s = !1;
      if (!this.currentCluster) s = !0;
      else {
        (f(this.currentClusterStartMsTimestamp !== null), f(this.currentClusterMaxMsTimestamp !== null));
        let u = i - this.currentClusterStartMsTimestamp;
        s =
          (n &&
            i > this.currentClusterMaxMsTimestamp &&
            u >= 1e3 * (this.format._options.minimumClusterDuration ?? 1)) ||
          u > Qo;
      }
      s && this.createNewCluster(i);
      let o = i - this.currentClusterStartMsTimestamp;
      if (o < jo) {
        if (!this.warnedAboutTooNegativeTimestamp) {
          let u = this.format instanceof Fe ? 'WebM' : 'Matroska';
          (R._warn(`Packets had to be discarded because their timestamp is too negative to represent in ${u}.`),
            (this.warnedAboutTooNegativeTimestamp = !0));
        }
        return;
      }
      let a = new Uint8Array(4),
        c = new DataView(a.buffer);
      (c.setUint8(0, 128 | e.track.id), c.setInt16(1, o, !1));
      let l = Math.round(1e3 * r.duration);
      if (!!r.additions || e.type === 'subtitle') {
        let u = {
          id: m.BlockGroup,
          data: [
            { id: m.Block, data: [a, r.data] },
            r.type === 'delta' ? { id: m.ReferenceBlock, data: new bt(e.lastWrittenMsTimestamp - i) } : null,
            r.additions
              ? {
                  id: m.BlockAdditions,
                  data: [
                    {
                      id: m.BlockMore,
                      data: [
                        { id: m.BlockAddID, data: 1 },
                        { id: m.BlockAdditional, data: r.additions },
                      ],
                    },
                  ],
                }
              : null,
            l > 0 ? { id: m.BlockDuration, data: l } : null,
          ],
        };
        this.ebmlWriter.writeEBML(u);
      } else {
        c.setUint8(3, +(r.type === 'key') << 7);
        let u = { id: m.SimpleBlock, data: [a, r.data] };
        this.ebmlWriter.writeEBML(u);
      }
      ((this.startTimestamp = Math.min(this.startTimestamp, i)),
        (this.endTimestamp = Math.max(this.endTimestamp, i + l)),
        (e.lastWrittenMsTimestamp = i),
        this.trackDatasInCurrentCluster.has(e) || this.trackDatasInCurrentCluster.set(e, { firstMsTimestamp: i }),
        (this.currentClusterMaxMsTimestamp = Math.max(this.currentClusterMaxMsTimestamp, i)));
    }
    createNewCluster(e) {
      ((e = Math.max(0, e)),
        this.currentCluster && this.finalizeCurrentCluster(),
        this.format._options.onCluster && this.writer.startTrackingWrites(),
        (this.currentCluster = {
          id: m.Cluster,
          size: this.format._options.appendOnly ? -1 : Bn,
          data: [{ id: m.Timestamp, data: e }],
        }),
        this.ebmlWriter.writeEBML(this.currentCluster),
        (this.currentClusterStartMsTimestamp = e),
        (this.currentClusterMaxMsTimestamp = e),
        this.trackDatasInCurrentCluster.clear());
    }
    finalizeCurrentCluster() {
      if ((f(this.currentCluster), !this.format._options.appendOnly)) {
        let n = this.writer.getPos() - this.ebmlWriter.dataOffsets.get(this.currentCluster),
          s = this.writer.getPos();
        (this.writer.seek(this.ebmlWriter.offsets.get(this.currentCluster) + 4),
          this.ebmlWriter.writeVarInt(n, Bn),
          this.writer.seek(s));
      }
      if (this.format._options.onCluster) {
        f(this.currentClusterStartMsTimestamp !== null);
        let { data: n, start: s } = this.writer.stopTrackingWrites();
        this.format._options.onCluster(n, s, this.currentClusterStartMsTimestamp / 1e3);
      }
      let e = this.ebmlWriter.offsets.get(this.currentCluster) - this.segmentDataOffset,
        r = new Map();
      for (let [n, { firstMsTimestamp: s }] of this.trackDatasInCurrentCluster)
        (r.has(s) || r.set(s, []), r.get(s).push(n));
      let i = [...r.entries()].sort((n, s) => n[0] - s[0]);
      for (let [n, s] of i)
        (f(this.cues),
          this.cues.data.push({
            id: m.CuePoint,
            data: [
              { id: m.CueTime, data: Math.max(0, n) },
              ...s.map((o) => ({
                id: m.CueTrackPositions,
                data: [
                  { id: m.CueTrack, data: o.track.id },
                  { id: m.CueClusterPosition, data: e },
                ],
              })),
            ],
          }));
    }
    async onTrackClose(e) {
      let r = await this.mutex.acquire(),
        i = this.trackDatas.find((n) => n.track === e);
      (i && (i.closed = !0),
        this.allTracksAreKnown() && this.allTracksKnown.resolve(),
        await this.interleaveChunks(),
        r());
    }
    async finalize() {
      let e = await this.mutex.acquire();
      this.allTracksKnown.resolve();
      for (let r of this.trackDatas) r.closed = !0;
      if (
        (this.segment || this.createSegment(),
        await this.interleaveChunks(!0),
        this.currentCluster && this.finalizeCurrentCluster(),
        f(this.cues),
        this.ebmlWriter.writeEBML(this.cues),
        !this.format._options.appendOnly)
      ) {
        let r = this.writer.getPos() - this.segmentDataOffset;
        (this.writer.seek(this.ebmlWriter.offsets.get(this.segment) + 4), this.ebmlWriter.writeVarInt(r, kn));
        let i = this.startTimestamp === 1 / 0 ? 0 : this.endTimestamp;
        ((this.segmentDuration.data = new Ze(i)),
          this.writer.seek(this.ebmlWriter.offsets.get(this.segmentDuration)),
          this.ebmlWriter.writeEBML(this.segmentDuration),
          f(this.seekHead),
          this.writer.seek(this.ebmlWriter.offsets.get(this.seekHead)),
          this.maybeCreateSeekHead(!0),
          this.ebmlWriter.writeEBML(this.seekHead));
      }
      e();
    }
  };
/*!
 * Copyright (c) 2026-present, Vanilagy and contributors
 *
 * This Source Code Form is subject to the terms of the Mozilla Public
 * License, v. 2.0. If a copy of the MPL was not distributed with this
 * file, You can obtain one at https://mozilla.org/MPL/2.0/.
 */ var Go = function (t, e, r) {
    if (e != null) {
      if (typeof e != 'object' && typeof e != 'function') throw new TypeError('Object expected.');
      var i, n;
      if (r) {
        if (!Symbol.asyncDispose) throw new TypeError('Symbol.asyncDispose is not defined.');
        i = e[Symbol.asyncDispose];
      }
      if (i === void 0) {
        if (!Symbol.dispose) throw new TypeError('Symbol.dispose is not defined.');
        ((i = e[Symbol.dispose]), r && (n = i));
      }
      if (typeof i != 'function') throw new TypeError('Object not disposable.');
      (n &&
        (i = function () {
          try {
            n.call(this);
          } catch (s) {
            return Promise.reject(s);
          }
        }),
        t.stack.push({ value: e, dispose: i, async: r }));
    } else r && t.stack.push({ async: !0 });
    return e;
  },
  Ko = (function (t) {
    return function (e) {
      function r(o) {
        ((e.error = e.hasError ? new t(o, e.error, 'An error was suppressed during disposal.') : o), (e.hasError = !0));
      }
      var i,
        n = 0;
      function s() {
        for (; (i = e.stack.pop());)
          try {
            if (!i.async && n === 1) return ((n = 0), e.stack.push(i), Promise.resolve().then(s));
            if (i.dispose) {
              var o = i.dispose.call(i.value);
              if (i.async)
                return (
                  (n |= 2),
                  Promise.resolve(o).then(s, function (a) {
                    return (r(a), s());
                  })
                );
            } else n |= 1;
          } catch (a) {
            r(a);
          }
        if (n === 1) return e.hasError ? Promise.reject(e.error) : Promise.resolve();
        if (e.hasError) throw e.error;
      }
      return s();
    };
  })(
    typeof SuppressedError == 'function'
      ? SuppressedError
      : function (t, e, r) {
          var i = new Error(r);
          return ((i.name = 'SuppressedError'), (i.error = t), (i.suppressed = e), i);
        },
  ),
  st = class {
    constructor() {
      ((this._connectedTrack = null),
        (this._closingPromise = null),
        (this._closed = !1),
        (this._nominalBitrate = null));
    }
    _ensureValidAdd() {
      if (!this._connectedTrack) throw new Error('Source is not connected to an output track.');
      if (this._connectedTrack.output.state === 'canceled') throw new Error('Output has been canceled.');
      if (this._connectedTrack.output.state === 'finalizing' || this._connectedTrack.output.state === 'finalized')
        throw new Error('Output has been finalized.');
      if (this._connectedTrack.output.state === 'pending') throw new Error('Output has not started.');
      if (this._closed) throw new Error('Source is closed.');
    }
    async _start() {}
    async _flushAndClose(e) {}
    close() {
      if (this._closingPromise) return;
      let e = this._connectedTrack;
      if (!e) throw new Error('Cannot call close without connecting the source to an output track.');
      if (e.output.state === 'pending') throw new Error('Cannot call close before output has been started.');
      this._closingPromise = (async () => {
        (await this._flushAndClose(!1),
          (this._closed = !0),
          !(e.output.state === 'finalizing' || e.output.state === 'finalized') && e.output._muxer.onTrackClose(e));
      })();
    }
    async _flushOrWaitForOngoingClose(e) {
      return (this._closingPromise ??= (async () => {
        (await this._flushAndClose(e), (this._closed = !0));
      })());
    }
  },
  ot = class extends st {
    constructor(e) {
      if ((super(), !H.includes(e)))
        throw new TypeError(`Invalid video codec '${e}'. Must be one of: ${H.join(', ')}.`);
      this._codec = e;
    }
  },
  Pn = (t, e) => {
    if (t.metadata.hasOnlyKeyPackets && e.type !== 'key')
      throw new Error('Cannot add non-key packets to a hasOnlyKeyPackets video track.');
  };
var Dr = class {
    setError(e) {
      this.errorSet || ((this.error = e), (this.errorSet = !0));
    }
    constructor(e, r) {
      ((this.source = e),
        (this.encodingConfig = r),
        (this.ensureEncoderPromise = null),
        (this.encoderInitialized = !1),
        (this.encoder = null),
        (this.encoderConfig = null),
        (this.encodersReclaimed = !1),
        (this.muxer = null),
        (this.lastMultipleOfKeyFrameInterval = -1),
        (this.emittedEncoderPackets = 0),
        (this.codedWidth = null),
        (this.codedHeight = null),
        (this.outputWidth = null),
        (this.outputHeight = null),
        (this.frameRateLastSample = null),
        (this.frameRateLastTimestamp = null),
        (this.frameRateLastEndTimestamp = null),
        (this.preciseTimings = []),
        (this.customEncoder = null),
        (this.customEncoderCallSerializer = new Pt()),
        (this.customEncoderQueueSize = 0),
        (this.defaultEncodeOptions = {}),
        (this.alphaEncoder = null),
        (this.splitter = null),
        (this.splitterCreationFailed = !1),
        (this.alphaFrameQueue = []),
        (this.error = null),
        (this.errorSet = !1),
        (this.lastMuxerPromise = Promise.resolve()),
        (this.closed = !1));
    }
    async add(e, r, i) {
      let n = e;
      try {
        (this.checkForEncoderError(), this.source._ensureValidAdd());
        let s = this.encodingConfig,
          o = s.sizeChangeBehavior ?? 'deny',
          a = !1;
        if (this.codedWidth !== null && this.codedHeight !== null) {
          if ((e.codedWidth !== this.codedWidth || e.codedHeight !== this.codedHeight) && ((a = !0), o === 'deny'))
            throw new Error(
              `Video sample size must remain constant. Expected ${this.codedWidth}x${this.codedHeight}, got ${e.codedWidth}x${e.codedHeight}. To allow the sample size to change over time, set \`sizeChangeBehavior\` to a value other than 'deny' in the encoding options.`,
            );
        } else ((this.codedWidth = e.codedWidth), (this.codedHeight = e.codedHeight));
        if (
          s.transform?.width !== void 0 ||
          s.transform?.height !== void 0 ||
          s.transform?.rotate !== void 0 ||
          s.transform?.flip !== void 0 ||
          s.transform?.crop !== void 0 ||
          s.transform?.force === !0 ||
          (a && o !== 'passThrough')
        ) {
          let u = s.transform?.width,
            h = s.transform?.height,
            p = s.transform?.fit ?? 'fill';
          a &&
            o !== 'passThrough' &&
            (f(this.outputWidth),
            f(this.outputHeight),
            f(o !== 'deny'),
            (u = this.outputWidth),
            (h = this.outputHeight),
            (p = o));
          let w = await e.transform({
            width: u,
            height: h,
            roundDimensionsTo: 2,
            crop: s.transform?.crop,
            rotate: s.transform?.rotate,
            flip: s.transform?.flip,
            fit: p,
            alpha: s.alpha,
          });
          ((this.outputWidth === null || this.outputHeight === null) &&
            ((this.outputWidth = w.displayWidth), (this.outputHeight = w.displayHeight)),
            r && e.close(),
            (e = w),
            (r = !0));
        } else
          (this.outputWidth === null || this.outputHeight === null) &&
            ((this.outputWidth = e.codedWidth), (this.outputHeight = e.codedHeight));
        let d = s.transform?.frameRate;
        if (d !== void 0) {
          let u = e.timestamp + e.duration,
            h = mr(e.timestamp, d);
          if (this.frameRateLastSample !== null)
            if (h <= this.frameRateLastTimestamp) {
              (this.frameRateLastSample.close(),
                (this.frameRateLastSample = e.clone()),
                (this.frameRateLastEndTimestamp = u));
              return;
            } else await this.padFrameRate(h, i);
          (e === n && ((e = e.clone()), (r = !0)),
            e.setTimestamp(h),
            e.setDuration(1 / d),
            this.frameRateLastSample?.close(),
            (this.frameRateLastSample = e.clone()),
            (this.frameRateLastTimestamp = h),
            (this.frameRateLastEndTimestamp = u));
        }
        await this.processAndEncode(e, i);
      } finally {
        r && e.close();
      }
    }
    async processAndEncode(e, r) {
      let i = this.encodingConfig,
        n;
      if (i.transform?.process) {
        let s = i.transform.process(e);
        if ((Q(s) && (s = await s), s === null)) return;
        Array.isArray(s) || (s = [s]);
        let o = [];
        try {
          for (let a of s)
            a instanceof Be
              ? o.push(a)
              : typeof VideoFrame < 'u' && a instanceof VideoFrame
                ? o.push(new Be(a))
                : o.push(new Be(a, { timestamp: e.timestamp, duration: e.duration }));
        } catch (a) {
          for (let c of o) c !== e && c.close();
          for (let c of s)
            ((c instanceof Be && c !== e) || (typeof VideoFrame < 'u' && c instanceof VideoFrame)) && c.close();
          throw a;
        }
        n = o;
      } else n = [e];
      try {
        for (let s of n) {
          if (
            (this.encoderInitialized ||
              (this.ensureEncoderPromise || this.ensureEncoder(s),
              this.encoderInitialized || (await this.ensureEncoderPromise)),
            f(this.encoderInitialized),
            this.closed)
          )
            break;
          this.encodersReclaimed && this.recreateWebCodecsEncoders();
          let o = this.encodingConfig.keyFrameInterval ?? 2,
            a = Math.floor(s.timestamp / o),
            c = { ...this.defaultEncodeOptions, ...s.encodeOptions, ...r },
            l = {
              ...c,
              keyFrame: c.keyFrame !== void 0 ? c.keyFrame : o === 0 || a !== this.lastMultipleOfKeyFrameInterval,
            };
          if (
            ((this.lastMultipleOfKeyFrameInterval = a), this.encodingConfig.onEncodedSample?.(s), this.customEncoder)
          ) {
            this.customEncoderQueueSize++;
            let d = s.clone(),
              u = this.customEncoderCallSerializer
                .call(() => this.customEncoder.encode(d, l))
                .catch((h) => this.setError(h))
                .finally(() => {
                  (this.customEncoderQueueSize--, d.close());
                });
            this.customEncoderQueueSize >= 4 && (await u);
          } else {
            f(this.encoder);
            let d = s.toVideoFrame(),
              u = ur(this.preciseTimings, d.timestamp, (p) => p.microsecondTimestamp),
              h = u !== -1 ? this.preciseTimings[u] : null;
            if (
              (h && h.microsecondTimestamp === d.timestamp
                ? (h.timestamp !== s.timestamp && (h.timestampIsValid = !1),
                  h.duration !== s.duration && (h.durationIsValid = !1))
                : (this.preciseTimings.splice(u + 1, 0, {
                    microsecondTimestamp: d.timestamp,
                    timestamp: s.timestamp,
                    duration: s.duration,
                    timestampIsValid: !0,
                    durationIsValid: !0,
                  }),
                  this.preciseTimings.length > 128 && this.preciseTimings.shift()),
              this.alphaEncoder)
            )
              if ((!!d.format && !d.format.includes('A')) || this.splitterCreationFailed) {
                this.alphaFrameQueue.push(null);
                try {
                  this.encoder.encode(d, l);
                } finally {
                  d.close();
                }
              } else {
                this.splitter || (this.splitter = new Wr());
                let { colorFrame: w, alphaFrame: y } = await this.splitter.split(d);
                this.alphaFrameQueue.push(y);
                try {
                  this.encoder.encode(w, l);
                } finally {
                  w.close();
                }
              }
            else
              try {
                this.encoder.encode(d, l);
              } finally {
                d.close();
              }
            this.encoder.encodeQueueSize >= 4 &&
              (await new Promise((p) => this.encoder.addEventListener('dequeue', p, { once: !0 })));
          }
          await this.lastMuxerPromise;
        }
      } finally {
        for (let s of n) s !== e && s.close();
      }
    }
    async padFrameRate(e, r) {
      let i = this.encodingConfig.transform.frameRate;
      f(this.frameRateLastSample);
      let n = Math.round((e - this.frameRateLastTimestamp) * i);
      for (let s = 1; s < n; s++) {
        let o = { stack: [], error: void 0, hasError: !1 };
        try {
          let a = Go(o, this.frameRateLastSample.clone(), !1);
          (a.setTimestamp(this.frameRateLastTimestamp + s / i),
            a.setDuration(1 / i),
            await this.processAndEncode(a, r));
        } catch (a) {
          ((o.error = a), (o.hasError = !0));
        } finally {
          Ko(o);
        }
      }
    }
    ensureEncoder(e) {
      this.ensureEncoderPromise = (async () => {
        let r = _r(this.encodingConfig.quality, this.encodingConfig.bitrate);
        f(r !== void 0);
        let i = Sr({
            ...this.encodingConfig,
            quality: r,
            width: e.codedWidth,
            height: e.codedHeight,
            squarePixelWidth: e.squarePixelWidth,
            squarePixelHeight: e.squarePixelHeight,
            framerate: this.source._connectedTrack?.metadata.frameRate,
          }),
          n = null,
          s;
        for (let a of i) {
          let c = a.config;
          if (
            (this.encodingConfig.onEncoderConfig?.(c),
            (s = Zt.find((d) => d.supports(this.encodingConfig.codec, c))),
            s)
          ) {
            n = a;
            break;
          }
          if (typeof VideoEncoder > 'u') continue;
          if (
            ((c.alpha = 'discard'),
            this.encodingConfig.alpha === 'keep' && (c.latencyMode = 'quality'),
            (c.width % 2 === 1 || c.height % 2 === 1) &&
              (this.encodingConfig.codec === 'avc' || this.encodingConfig.codec === 'hevc'))
          )
            throw new Error(
              `The dimensions ${c.width}x${c.height} are not supported for codec '${this.encodingConfig.codec}'; both width and height must be even numbers. Make sure to round your dimensions to the nearest even number.`,
            );
          try {
            if ((await VideoEncoder.isConfigSupported(c)).supported) {
              n = a;
              break;
            }
          } catch {}
        }
        if (!n) {
          if (typeof VideoEncoder > 'u') throw new Error(ei('VideoEncoder'));
          let a = i[0].config,
            c = i.map(({ config: l, quantizer: d }) => (d !== null ? `quantizer ${d}` : `${l.bitrate} bps`));
          throw new Error(
            `This specific encoder configuration (${a.codec}, ${c.join(' / ')}, ${a.width}x${a.height}, hardware acceleration: ${a.hardwareAcceleration ?? 'no-preference'}) is not supported in this environment. Consider using another codec or changing your video parameters.`,
          );
        }
        let o = n.config;
        (n.quantizer !== null
          ? (this.defaultEncodeOptions = Er(this.encodingConfig.codec, n.quantizer))
          : (this.source._nominalBitrate = o.bitrate ?? null),
          s
            ? ((this.customEncoder = new s()),
              (this.customEncoder.codec = this.encodingConfig.codec),
              (this.customEncoder.config = o),
              (this.customEncoder.onPacket = (a, c) => {
                if (!(a instanceof ve))
                  throw new TypeError('The first argument passed to onPacket must be an EncodedPacket.');
                if (c !== void 0 && (!c || typeof c != 'object'))
                  throw new TypeError('The second argument passed to onPacket must be an object or undefined.');
                (Pn(this.source._connectedTrack, a),
                  this.encodingConfig.onEncodedPacket?.(a, c),
                  (this.lastMuxerPromise = this.muxer
                    .addEncodedVideoPacket(this.source._connectedTrack, a, c)
                    .catch((l) => {
                      this.setError(l);
                    })));
              }),
              (this.customEncoder.onError = (a) => {
                this.setError(a);
              }),
              await this.customEncoder.init())
            : ((this.encoderConfig = o), this.createWebCodecsEncoders()),
          f(this.source._connectedTrack),
          (this.muxer = this.source._connectedTrack.output._muxer),
          (this.encoderInitialized = !0));
      })();
    }
    createWebCodecsEncoders() {
      let e = this.encoderConfig;
      f(e);
      let r = [],
        i = [],
        n = 0,
        s = 0,
        o = (c, l) => {
          if (ti(c)) {
            this.encodersReclaimed = !0;
            return;
          }
          ((c.stack = l), this.setError(c));
        },
        a = new Error('Encoding error').stack;
      if (
        ((this.encoder = new VideoEncoder({
          output: (c, l) => {
            if (!this.alphaEncoder) {
              this.addPacket(c, null, l);
              return;
            }
            let d = this.alphaFrameQueue.shift();
            (f(d !== void 0),
              d
                ? (this.alphaEncoder.encode(d, { ...this.defaultEncodeOptions, keyFrame: c.type === 'key' }),
                  s++,
                  d.close(),
                  r.push({ chunk: c, meta: l }))
                : s === 0
                  ? this.addPacket(c, null, l)
                  : (i.push(n + s), r.push({ chunk: c, meta: l })));
          },
          error: (c) => o(c, a),
        })),
        this.encoder.configure(e),
        this.encodingConfig.alpha === 'keep')
      ) {
        let c = new Error('Encoding error').stack;
        ((this.alphaEncoder = new VideoEncoder({
          output: (l, d) => {
            s--;
            let u = r.shift();
            for (f(u !== void 0), this.addPacket(u.chunk, l, u.meta), n++; i.length > 0 && i[0] === n;) {
              i.shift();
              let h = r.shift();
              (f(h !== void 0), this.addPacket(h.chunk, null, h.meta));
            }
          },
          error: (l) => o(l, c),
        })),
          this.alphaEncoder.configure(e));
      }
    }
    addPacket(e, r, i) {
      let n = {};
      if (r) {
        let l = new Uint8Array(r.byteLength);
        (r.copyTo(l), (n.alpha = l));
      }
      let s = ve.fromEncodedChunk(e, n),
        o = ur(this.preciseTimings, e.timestamp, (l) => l.microsecondTimestamp),
        a = o !== -1 ? this.preciseTimings[o] : null,
        c = null;
      (this.emittedEncoderPackets === 0 &&
        s.type === 'delta' &&
        i?.decoderConfig &&
        (c = Bi(this.encodingConfig.codec, i.decoderConfig, s.data)),
        ((a && a.microsecondTimestamp === e.timestamp) || c !== null) &&
          (s = s.clone({
            timestamp: a?.timestampIsValid ? a.timestamp : void 0,
            duration: a?.durationIsValid ? a.duration : void 0,
            type: c ?? void 0,
          })),
        Pn(this.source._connectedTrack, s),
        this.encodingConfig.onEncodedPacket?.(s, i),
        (this.lastMuxerPromise = this.muxer.addEncodedVideoPacket(this.source._connectedTrack, s, i).catch((l) => {
          this.setError(l);
        })),
        this.emittedEncoderPackets++);
    }
    recreateWebCodecsEncoders() {
      (f(this.encoder),
        this.encoder.state !== 'closed' && this.encoder.close(),
        this.alphaEncoder && this.alphaEncoder.state !== 'closed' && this.alphaEncoder.close(),
        this.alphaFrameQueue.forEach((e) => e?.close()),
        (this.alphaFrameQueue.length = 0),
        (this.encodersReclaimed = !1),
        (this.lastMultipleOfKeyFrameInterval = -1),
        this.createWebCodecsEncoders());
    }
    async flushAndClose(e) {
      try {
        if (!e && (this.checkForEncoderError(), this.frameRateLastSample)) {
          let r = this.encodingConfig.transform.frameRate,
            i = mr(this.frameRateLastEndTimestamp, r);
          await this.padFrameRate(i);
        }
        ((this.closed = !0),
          e ||
            (this.customEncoder
              ? this.customEncoderCallSerializer.call(() => this.customEncoder.flush())
              : this.encoder &&
                !this.encodersReclaimed &&
                (await this.encoder.flush(), await this.alphaEncoder?.flush(), await oi(25))));
      } finally {
        ((this.closed = !0),
          this.frameRateLastSample?.close(),
          (this.frameRateLastSample = null),
          this.customEncoder
            ? await this.customEncoderCallSerializer
                .call(() => this.customEncoder.close())
                .catch((r) => this.setError(r))
            : this.encoder &&
              (this.encoder.state !== 'closed' && this.encoder.close(),
              this.alphaEncoder && this.alphaEncoder.state !== 'closed' && this.alphaEncoder.close(),
              this.alphaFrameQueue.forEach((r) => r?.close()),
              (this.alphaFrameQueue.length = 0),
              this.splitter?.close()));
      }
      e || this.checkForEncoderError();
    }
    getQueueSize() {
      return this.customEncoder ? this.customEncoderQueueSize : (this.encoder?.encodeQueueSize ?? 0);
    }
    checkForEncoderError() {
      if (this.errorSet) throw this.error;
    }
  },
  zr = null,
  Wr = class {
    constructor() {
      ((this.worker = null), (this.pendingRequests = new Map()), (this.nextRequestId = 0));
    }
    split(e) {
      if (!this.worker) {
        if (!zr) {
          let n = new Blob([`(${Xo.toString()})()`], { type: 'application/javascript' });
          zr = URL.createObjectURL(n);
        }
        ((this.worker = new Worker(zr)),
          this.worker.addEventListener('message', (n) => {
            let s = n.data,
              o = this.pendingRequests.get(s.id);
            o &&
              (this.pendingRequests.delete(s.id),
              'error' in s
                ? o.reject(new Error(s.error))
                : o.resolve({ colorFrame: s.colorFrame, alphaFrame: s.alphaFrame }));
          }),
          this.worker.addEventListener('error', (n) => {
            let s = new Error(n.message || 'Color/alpha splitter worker error.');
            for (let o of this.pendingRequests.values()) o.reject(s);
            this.pendingRequests.clear();
          }));
      }
      let r = this.nextRequestId++,
        i = je();
      return (
        this.pendingRequests.set(r, i),
        this.worker.postMessage({ id: r, sourceFrame: e }, { transfer: [e] }),
        i.promise
      );
    }
    close() {
      (this.worker?.terminate(), (this.worker = null));
      let e = new Error('Color/alpha splitter closed.');
      for (let r of this.pendingRequests.values()) r.reject(e);
      this.pendingRequests.clear();
    }
  },
  Xo = () => {
    let t = null,
      e = Promise.resolve();
    self.addEventListener('message', (s) => {
      let { id: o, sourceFrame: a } = s.data;
      e = e.then(async () => {
        try {
          let { colorFrame: c, alphaFrame: l } = await r(a);
          self.postMessage({ id: o, colorFrame: c, alphaFrame: l }, { transfer: [c, l] });
        } catch (c) {
          self.postMessage({ id: o, error: c.message });
        } finally {
          a.close();
        }
      });
    });
    let r = async (s) => {
        let o = s.format;
        if (!o) throw new Error('CPU color/alpha splitting requires a known VideoFrame format.');
        let a = s.allocationSize();
        if (((!t || t.byteLength !== a) && (t = new Uint8Array(a)), await s.copyTo(t), o === 'RGBA' || o === 'BGRA'))
          return i(t, o, s);
        if (
          o === 'I420A' ||
          o === 'I420AP10' ||
          o === 'I420AP12' ||
          o === 'I422A' ||
          o === 'I422AP10' ||
          o === 'I422AP12' ||
          o === 'I444A' ||
          o === 'I444AP10' ||
          o === 'I444AP12'
        )
          return n(t, o, s);
        throw new Error(`CPU color/alpha splitting does not support format '${o}'.`);
      },
      i = (s, o, a) => {
        let c = a.visibleRect?.width ?? a.codedWidth,
          l = a.visibleRect?.height ?? a.codedHeight,
          d = c * l,
          u = Math.ceil(c / 2),
          h = Math.ceil(l / 2),
          p = d + u * h * 2,
          w = new Uint8Array(p);
        for (let _ = 0, M = 3; _ < d; _++, M += 4) w[_] = s[M];
        w.fill(128, d);
        let y = new VideoFrame(s, {
            format: o === 'RGBA' ? 'RGBX' : 'BGRX',
            codedWidth: c,
            codedHeight: l,
            timestamp: a.timestamp,
            duration: a.duration ?? void 0,
          }),
          x = {
            format: 'I420',
            codedWidth: c,
            codedHeight: l,
            timestamp: a.timestamp,
            duration: a.duration ?? void 0,
            transfer: [w.buffer],
          },
          C = new VideoFrame(w, x);
        return { colorFrame: y, alphaFrame: C };
      },
      n = (s, o, a) => {
        let c = a.visibleRect?.width ?? a.codedWidth,
          l = a.visibleRect?.height ?? a.codedHeight,
          d = o.includes('P10'),
          u = o.includes('P12'),
          h = d || u ? 2 : 1,
          p,
          w;
        o.startsWith('I420')
          ? ((p = Math.ceil(c / 2)), (w = Math.ceil(l / 2)))
          : o.startsWith('I422')
            ? ((p = Math.ceil(c / 2)), (w = l))
            : ((p = c), (w = l));
        let y = c * l,
          x = p * w,
          C = y * h,
          _ = x * h,
          M = y * h,
          V = C + _ * 2,
          j = o.replace('A', ''),
          Oe = Math.ceil(c / 2),
          Me = Math.ceil(l / 2),
          pe = Oe * Me,
          oe = pe * h,
          X = M + 2 * oe,
          Y = new Uint8Array(X),
          I = V;
        Y.set(s.subarray(I, I + M), 0);
        let ge = M,
          dt = d ? 512 : u ? 2048 : 128;
        h === 1 ? Y.fill(dt, ge) : new Uint16Array(Y.buffer, ge, 2 * pe).fill(dt);
        let Z = d ? 'I420P10' : u ? 'I420P12' : 'I420',
          U = new VideoFrame(s.subarray(0, V), {
            format: j,
            codedWidth: c,
            codedHeight: l,
            timestamp: a.timestamp,
            duration: a.duration ?? void 0,
          }),
          J = {
            format: Z,
            codedWidth: c,
            codedHeight: l,
            timestamp: a.timestamp,
            duration: a.duration ?? void 0,
            transfer: [Y.buffer],
          },
          ee = new VideoFrame(Y, J);
        return { colorFrame: U, alphaFrame: ee };
      };
  };
var ir = class extends ot {
  constructor(e, r) {
    if (
      !(typeof HTMLCanvasElement < 'u' && e instanceof HTMLCanvasElement) &&
      !(typeof OffscreenCanvas < 'u' && e instanceof OffscreenCanvas)
    )
      throw new TypeError('canvas must be an HTMLCanvasElement or OffscreenCanvas.');
    (on(r), super(r.codec), (this._encoder = new Dr(this, r)), (this._canvas = e));
  }
  add(e, r = 0, i) {
    if (!Number.isFinite(e)) throw new TypeError('timestamp must be a finite number.');
    if (!Number.isFinite(r) || r < 0) throw new TypeError('duration must be a non-negative number.');
    let n = new Be(this._canvas, { timestamp: e, duration: r });
    return this._encoder.add(n, !0, i);
  }
  _flushAndClose(e) {
    return this._encoder.flushAndClose(e);
  }
};
var Et = class extends st {
  constructor(e) {
    if ((super(), !_e.includes(e)))
      throw new TypeError(`Invalid audio codec '${e}'. Must be one of: ${_e.join(', ')}.`);
    this._codec = e;
  }
};
var _t = class extends st {
  constructor(e) {
    if ((super(), !de.includes(e)))
      throw new TypeError(`Invalid subtitle codec '${e}'. Must be one of: ${de.join(', ')}.`);
    this._codec = e;
  }
};
/*!
 * Copyright (c) 2026-present, Vanilagy and contributors
 *
 * This Source Code Form is subject to the terms of the Mozilla Public
 * License, v. 2.0. If a copy of the MPL was not distributed with this
 * file, You can obtain one at https://mozilla.org/MPL/2.0/.
 */ var He = class {
    get supportsVideoRotationMetadata() {
      return this.supportsVideoTransformationMetadata;
    }
    getSupportedVideoCodecs() {
      return this.getSupportedCodecs().filter((e) => H.includes(e));
    }
    getSupportedAudioCodecs() {
      return this.getSupportedCodecs().filter((e) => _e.includes(e));
    }
    getSupportedSubtitleCodecs() {
      return this.getSupportedCodecs().filter((e) => de.includes(e));
    }
    _codecUnsupportedHint(e) {
      return '';
    }
    _isFragmentedIsobmff() {
      return !1;
    }
  },
  at = class extends He {
    constructor(e = {}) {
      if (!e || typeof e != 'object') throw new TypeError('options must be an object.');
      if (e.fastStart !== void 0 && ![!1, 'in-memory', 'reserve', 'fragmented'].includes(e.fastStart))
        throw new TypeError(
          "options.fastStart, when provided, must be false, 'in-memory', 'reserve', or 'fragmented'.",
        );
      if (e.minimumFragmentDuration !== void 0 && (!pr(e.minimumFragmentDuration) || e.minimumFragmentDuration < 0))
        throw new TypeError('options.minimumFragmentDuration, when provided, must be a non-negative number.');
      if (e.onFtyp !== void 0 && typeof e.onFtyp != 'function')
        throw new TypeError('options.onFtyp, when provided, must be a function.');
      if (e.onMoov !== void 0 && typeof e.onMoov != 'function')
        throw new TypeError('options.onMoov, when provided, must be a function.');
      if (e.onMdat !== void 0 && typeof e.onMdat != 'function')
        throw new TypeError('options.onMdat, when provided, must be a function.');
      if (e.onMoof !== void 0 && typeof e.onMoof != 'function')
        throw new TypeError('options.onMoof, when provided, must be a function.');
      if (e.metadataFormat !== void 0 && !['mdir', 'mdta', 'udta', 'auto'].includes(e.metadataFormat))
        throw new TypeError("options.metadataFormat, when provided, must be either 'auto', 'mdir', 'mdta', or 'udta'.");
      (super(), (this._options = e));
    }
    getSupportedTrackCounts() {
      return {
        video: { min: 0, max: 4294967295 },
        audio: { min: 0, max: 4294967295 },
        subtitle: { min: 0, max: 4294967295 },
        total: { min: 0, max: 4294967295 },
      };
    }
    get supportsVideoTransformationMetadata() {
      return !0;
    }
    get supportsTimestampedMediaData() {
      return !0;
    }
    get negativeTimestampSupport() {
      return 'full';
    }
    _createMuxer(e) {
      return new tr(e, this);
    }
    _isFragmentedIsobmff() {
      return this._options.fastStart === 'fragmented';
    }
  },
  vt = class extends at {
    constructor(e) {
      super(e);
    }
    get _name() {
      return 'MP4';
    }
    get fileExtension() {
      return '.mp4';
    }
    get mimeType() {
      return 'video/mp4';
    }
    getSupportedCodecs() {
      return [
        ...H,
        ...yt,
        'pcm-s16',
        'pcm-s16be',
        'pcm-s24',
        'pcm-s24be',
        'pcm-s32',
        'pcm-s32be',
        'pcm-f32',
        'pcm-f32be',
        'pcm-f64',
        'pcm-f64be',
        ...de,
      ];
    }
    _codecUnsupportedHint(e) {
      return new nt().getSupportedCodecs().includes(e) ? ' Switching to MOV will grant support for this codec.' : '';
    }
  },
  it = class extends at {
    constructor(e) {
      super(e);
    }
    get _name() {
      return 'CMAF';
    }
    get fileExtension() {
      return '.m4s';
    }
    get mimeType() {
      return 'video/mp4';
    }
    getSupportedCodecs() {
      return [
        ...H,
        ...yt,
        'pcm-s16',
        'pcm-s16be',
        'pcm-s24',
        'pcm-s24be',
        'pcm-s32',
        'pcm-s32be',
        'pcm-f32',
        'pcm-f32be',
        'pcm-f64',
        'pcm-f64be',
        ...de,
      ];
    }
  },
  nt = class extends at {
    constructor(e) {
      super(e);
    }
    get _name() {
      return 'MOV';
    }
    get fileExtension() {
      return '.mov';
    }
    get mimeType() {
      return 'video/quicktime';
    }
    getSupportedCodecs() {
      return [...H, ..._e];
    }
    _codecUnsupportedHint(e) {
      return new vt().getSupportedCodecs().includes(e) ? ' Switching to MP4 will grant support for this codec.' : '';
    }
  },
  kt = class extends He {
    constructor(e = {}) {
      if (!e || typeof e != 'object') throw new TypeError('options must be an object.');
      if (e.appendOnly !== void 0 && typeof e.appendOnly != 'boolean')
        throw new TypeError('options.appendOnly, when provided, must be a boolean.');
      if (e.minimumClusterDuration !== void 0 && (!pr(e.minimumClusterDuration) || e.minimumClusterDuration < 0))
        throw new TypeError('options.minimumClusterDuration, when provided, must be a non-negative number.');
      if (e.onEbmlHeader !== void 0 && typeof e.onEbmlHeader != 'function')
        throw new TypeError('options.onEbmlHeader, when provided, must be a function.');
      if (e.onSegmentHeader !== void 0 && typeof e.onSegmentHeader != 'function')
        throw new TypeError('options.onHeader, when provided, must be a function.');
      if (e.onCluster !== void 0 && typeof e.onCluster != 'function')
        throw new TypeError('options.onCluster, when provided, must be a function.');
      (super(), (this._options = e));
    }
    _createMuxer(e) {
      return new rr(e, this);
    }
    get _name() {
      return 'Matroska';
    }
    getSupportedTrackCounts() {
      return {
        video: { min: 0, max: 127 },
        audio: { min: 0, max: 127 },
        subtitle: { min: 0, max: 127 },
        total: { min: 0, max: 127 },
      };
    }
    get fileExtension() {
      return '.mkv';
    }
    get mimeType() {
      return 'video/x-matroska';
    }
    getSupportedCodecs() {
      return [
        ...H,
        ...yt,
        ...W.filter((e) => !['pcm-s8', 'pcm-f32be', 'pcm-f64be', 'ulaw', 'alaw'].includes(e)),
        ...de,
      ];
    }
    get supportsVideoTransformationMetadata() {
      return !1;
    }
    get supportsTimestampedMediaData() {
      return !0;
    }
    get negativeTimestampSupport() {
      return 'prefer-non-negative';
    }
  },
  Fe = class extends kt {
    constructor(e) {
      super(e);
    }
    getSupportedCodecs() {
      return [
        ...H.filter((e) => ['vp8', 'vp9', 'av1'].includes(e)),
        ..._e.filter((e) => ['opus', 'vorbis'].includes(e)),
        ...de,
      ];
    }
    get _name() {
      return 'WebM';
    }
    get fileExtension() {
      return '.webm';
    }
    get mimeType() {
      return 'video/webm';
    }
    _codecUnsupportedHint(e) {
      return new kt().getSupportedCodecs().includes(e) ? ' Switching to MKV will grant support for this codec.' : '';
    }
  };
/*!
 * Copyright (c) 2026-present, Vanilagy and contributors
 *
 * This Source Code Form is subject to the terms of the Mozilla Public
 * License, v. 2.0. If a copy of the MPL was not distributed with this
 * file, You can obtain one at https://mozilla.org/MPL/2.0/.
 */ var In = ['video', 'audio', 'subtitle'],
  ct = class t {
    constructor(e, r, i, n, s) {
      ((this.id = e), (this.output = r), (this.type = i), (this.source = n), (this.metadata = s));
    }
    isVideoTrack() {
      return this.type === 'video';
    }
    isAudioTrack() {
      return this.type === 'audio';
    }
    isSubtitleTrack() {
      return this.type === 'subtitle';
    }
    canBePairedWith(e) {
      if (!(e instanceof t)) throw new TypeError('other must be an OutputTrack.');
      if (this === e) return !1;
      let r = Dt(this.metadata.group),
        i = Dt(e.metadata.group);
      for (let n of r)
        if ((this.type !== e.type && i.some((a) => n === a)) || i.some((a) => n._pairedGroups.has(a))) return !0;
      return !1;
    }
  },
  nr = class extends ct {
    constructor(e, r, i, n) {
      super(e, r, 'video', i, n);
    }
  },
  sr = class extends ct {
    constructor(e, r, i, n) {
      super(e, r, 'audio', i, n);
    }
  },
  or = class extends ct {
    constructor(e, r, i, n) {
      super(e, r, 'subtitle', i, n);
    }
  },
  lt = class t {
    constructor() {
      this._pairedGroups = new Set();
    }
    pairWith(e) {
      if (!(e instanceof t)) throw new TypeError('other must be an OutputTrackGroup.');
      if (this === e) throw new TypeError('Cannot pair a group with itself.');
      (this._pairedGroups.add(e), e._pairedGroups.add(this));
    }
  },
  Nr = (t) => {
    if (!t || typeof t != 'object') throw new TypeError('metadata must be an object.');
    if (t.languageCode !== void 0 && !Yr(t.languageCode))
      throw new TypeError('metadata.languageCode, when provided, must be a three-letter, ISO 639-2/T language code.');
    if (t.name !== void 0 && typeof t.name != 'string')
      throw new TypeError('metadata.name, when provided, must be a string.');
    if (
      (t.disposition !== void 0 && li(t.disposition),
      t.maximumPacketCount !== void 0 && (!Number.isInteger(t.maximumPacketCount) || t.maximumPacketCount < 0))
    )
      throw new TypeError('metadata.maximumPacketCount, when provided, must be a non-negative integer.');
    if (t.bitrate !== void 0 && (!Number.isFinite(t.bitrate) || t.bitrate < 0))
      throw new TypeError('metadata.bitrate, when provided, must be a non-negative number.');
    if (t.averageBitrate !== void 0 && (!Number.isFinite(t.averageBitrate) || t.averageBitrate < 0))
      throw new TypeError('metadata.averageBitrate, when provided, must be a non-negative number.');
    if (
      t.group !== void 0 &&
      !(t.group instanceof lt) &&
      (!Array.isArray(t.group) || t.group.some((e) => !(e instanceof lt)))
    )
      throw new TypeError(
        'metadata.group, when provided, must be an OutputTrackGroup instance or an array of OutputTrackGroup instances.',
      );
  },
  ar = class extends Ce {
    get target() {
      let e =
        "Output.target cannot be used when using PathedTarget with an async callback. Use the 'target' event instead.";
      if (this._rootTargetPromise) throw new TypeError(e);
      let r = this._getRootTarget();
      if (Q(r)) throw new TypeError(e);
      return r;
    }
    constructor(e) {
      if (
        (super(),
        (this.state = 'pending'),
        (this.defaultTrackGroup = new lt()),
        (this.tracks = []),
        (this._onFinalize = null),
        (this._unfinalizedTargets = new Set()),
        (this._rootWriterPromise = null),
        (this._startPromise = null),
        (this._cancelPromise = null),
        (this._finalizePromise = null),
        (this._mutex = new Le()),
        (this._metadataTags = {}),
        (this._rootTarget = null),
        (this._rootTargetPromise = null),
        (this._firstMediaStreamTimestamp = null),
        !e || typeof e != 'object')
      )
        throw new TypeError('options must be an object.');
      if (!(e.format instanceof He)) throw new TypeError('options.format must be an OutputFormat.');
      if (!(e.target instanceof L || e.target instanceof Ne))
        throw new TypeError('options.target must be a Target or a PathedTarget.');
      if (
        (e.target instanceof L && this._rememberTarget(e.target),
        e.initTarget !== void 0 && !(e.initTarget instanceof L) && typeof e.initTarget != 'function')
      )
        throw new Error(
          'options.initTarget, when provided, must be a Target or a function that returns or resolves to a Target.',
        );
      if (e.onFinalize !== void 0 && typeof e.onFinalize != 'function')
        throw new TypeError('options.onFinalize, when provided, must be a function.');
      ((this.format = e.format),
        (this._target = e.target),
        (this._onFinalize = e.onFinalize ?? null),
        (this._initTarget = e.initTarget ?? null),
        this._initTarget instanceof L && this._rememberTarget(this._initTarget),
        (this._muxer = e.format._createMuxer(this)));
    }
    _getTargetValidated(e) {
      f(this._target instanceof Ne);
      let r = this._target.getTarget(e),
        i = (n) => {
          if (!(n instanceof L)) throw new TypeError('getTarget must return a Target.');
          return n;
        };
      return Q(r) ? r.then(i) : i(r);
    }
    async _getTarget(e) {
      f(this._target instanceof Ne);
      let r = await this._getTargetValidated(e);
      return (
        this._emit('target', { target: r, request: e, isRoot: e.isRoot }),
        this.state === 'canceled' ? await r._close() : this._rememberTarget(r),
        r
      );
    }
    _rememberTarget(e) {
      (this._unfinalizedTargets.add(e), e.on('finalized', () => this._unfinalizedTargets.delete(e), { once: !0 }));
    }
    async _getInitTarget() {
      if ((f(this._initTarget !== null), this._initTarget instanceof L)) return this._initTarget;
      let e = await this._initTarget();
      return (this.state === 'canceled' ? await e._close() : this._rememberTarget(e), e);
    }
    _hasInitTarget() {
      return this._initTarget !== null;
    }
    _getRootTarget() {
      if (this._rootTarget) return this._rootTarget;
      if (this._rootTargetPromise) return this._rootTargetPromise;
      if (this._target instanceof L)
        return (
          this._emit('target', { target: this._target, request: null, isRoot: !0 }),
          (this._rootTarget = this._target),
          this._target
        );
      let e = { path: this._target.rootPath, isRoot: !0, mimeType: this.format.mimeType },
        r = this._getTargetValidated(e),
        i = (n) => (
          this.state === 'canceled' ? n._close() : this._rememberTarget(n),
          this._emit('target', { target: n, request: e, isRoot: !0 }),
          (this._rootTarget = n),
          n
        );
      return Q(r) ? (this._rootTargetPromise = r.then(i)) : i(r);
    }
    _getRootWriter(e) {
      return (this._rootWriterPromise ??= (async () => {
        let r = await this._getRootTarget(),
          i = new We(r, typeof e == 'boolean' ? e : e(r));
        return (i.start(), i);
      })());
    }
    addVideoTrack(e, r = {}) {
      if (!(e instanceof ot)) throw new TypeError('source must be a VideoSource.');
      if ((Nr(r), r.rotation !== void 0 && ![0, 90, 180, 270].includes(r.rotation)))
        throw new TypeError(`Invalid video rotation: ${r.rotation}. Has to be 0, 90, 180 or 270.`);
      if (r.flip !== void 0 && typeof r.flip != 'boolean')
        throw new TypeError('metadata.flip, when provided, must be a boolean.');
      if (
        r.transformationMatrix !== void 0 &&
        (!Array.isArray(r.transformationMatrix) ||
          r.transformationMatrix.length !== 9 ||
          !r.transformationMatrix.every((n) => Number.isFinite(n)))
      )
        throw new TypeError('metadata.transformationMatrix, when provided, must be an array of 9 finite numbers.');
      if (r.frameRate !== void 0 && (!Number.isFinite(r.frameRate) || r.frameRate <= 0))
        throw new TypeError(`Invalid video frame rate: ${r.frameRate}. Must be a positive number.`);
      if (r.hasOnlyKeyPackets !== void 0 && typeof r.hasOnlyKeyPackets != 'boolean')
        throw new TypeError('metadata.hasOnlyKeyPackets, when provided, must be a boolean.');
      if (r.canBeTransparent !== void 0 && typeof r.canBeTransparent != 'boolean')
        throw new TypeError('metadata.canBeTransparent, when provided, must be a boolean.');
      if (
        (r.decoderConfig !== void 0 && Xe({ decoderConfig: r.decoderConfig }, e._codec), r.primingPacket !== void 0)
      ) {
        if (!(r.primingPacket instanceof ve))
          throw new TypeError('metadata.primingPacket, when provided, must be an EncodedPacket.');
        if (r.decoderConfig === void 0)
          throw new TypeError('metadata.primingPacket can only be provided alongside metadata.decoderConfig.');
      }
      let i = { ...r };
      return ((i.group ??= this.defaultTrackGroup), this._addTrack(new nr(this.tracks.length + 1, this, e, i)));
    }
    addAudioTrack(e, r = {}) {
      if (!(e instanceof Et)) throw new TypeError('source must be an AudioSource.');
      if (
        (Nr(r),
        r.decoderConfig !== void 0 && Ye({ decoderConfig: r.decoderConfig }, e._codec),
        r.primingPacket !== void 0)
      ) {
        if (!(r.primingPacket instanceof ve))
          throw new TypeError('metadata.primingPacket, when provided, must be an EncodedPacket.');
        if (r.decoderConfig === void 0)
          throw new TypeError('metadata.primingPacket can only be provided alongside metadata.decoderConfig.');
      }
      let i = { ...r };
      return ((i.group ??= this.defaultTrackGroup), this._addTrack(new sr(this.tracks.length + 1, this, e, i)));
    }
    addSubtitleTrack(e, r = {}) {
      if (!(e instanceof _t)) throw new TypeError('source must be a SubtitleSource.');
      Nr(r);
      let i = { ...r };
      return ((i.group ??= this.defaultTrackGroup), this._addTrack(new or(this.tracks.length + 1, this, e, i)));
    }
    setMetadataTags(e) {
      if ((ci(e), this.state !== 'pending'))
        throw new Error('Cannot set metadata tags after output has been started or canceled.');
      this._metadataTags = e;
    }
    _addTrack(e) {
      if (this.state !== 'pending') throw new Error('Cannot add track after output has been started or canceled.');
      if (e.source._connectedTrack) throw new Error('Source is already used for a track.');
      let r = this.format.getSupportedTrackCounts(),
        i = this.tracks.reduce((o, a) => o + (a.type === e.type ? 1 : 0), 0),
        n = r[e.type].max;
      if (i === n)
        throw new Error(
          n === 0
            ? `${this.format._name} does not support ${e.type} tracks.`
            : `${this.format._name} does not support more than ${n} ${e.type} track${n === 1 ? '' : 's'}.`,
        );
      let s = r.total.max;
      if (this.tracks.length === s)
        throw new Error(`${this.format._name} does not support more than ${s} tracks${s === 1 ? '' : 's'} in total.`);
      if (e.isVideoTrack()) {
        let o = this.format.getSupportedVideoCodecs();
        if (o.length === 0)
          throw new Error(
            `${this.format._name} does not support video tracks.` + this.format._codecUnsupportedHint(e.source._codec),
          );
        if (!o.includes(e.source._codec))
          throw new Error(
            `Codec '${e.source._codec}' cannot be contained within ${this.format._name}. Supported video codecs are: ${o.map((a) => `'${a}'`).join(', ')}.` +
              this.format._codecUnsupportedHint(e.source._codec),
          );
      } else if (e.isAudioTrack()) {
        let o = this.format.getSupportedAudioCodecs();
        if (o.length === 0)
          throw new Error(
            `${this.format._name} does not support audio tracks.` + this.format._codecUnsupportedHint(e.source._codec),
          );
        if (!o.includes(e.source._codec))
          throw new Error(
            `Codec '${e.source._codec}' cannot be contained within ${this.format._name}. Supported audio codecs are: ${o.map((a) => `'${a}'`).join(', ')}.` +
              this.format._codecUnsupportedHint(e.source._codec),
          );
      } else if (e.isSubtitleTrack()) {
        let o = this.format.getSupportedSubtitleCodecs();
        if (o.length === 0)
          throw new Error(
            `${this.format._name} does not support subtitle tracks.` +
              this.format._codecUnsupportedHint(e.source._codec),
          );
        if (!o.includes(e.source._codec))
          throw new Error(
            `Codec '${e.source._codec}' cannot be contained within ${this.format._name}. Supported subtitle codecs are: ${o.map((a) => `'${a}'`).join(', ')}.` +
              this.format._codecUnsupportedHint(e.source._codec),
          );
      }
      return (this.tracks.push(e), (e.source._connectedTrack = e), e);
    }
    hasEnoughTracks() {
      let e = this.format.getSupportedTrackCounts();
      for (let i of In) {
        let n = this.tracks.reduce((o, a) => o + (a.type === i ? 1 : 0), 0),
          s = e[i].min;
        if (n < s) return !1;
      }
      let r = e.total.min;
      return !(this.tracks.length < r);
    }
    async start() {
      let e = this.format.getSupportedTrackCounts();
      for (let i of In) {
        let n = this.tracks.reduce((o, a) => o + (a.type === i ? 1 : 0), 0),
          s = e[i].min;
        if (n < s)
          throw new Error(
            s === e[i].max
              ? `${this.format._name} requires exactly ${s} ${i} track${s === 1 ? '' : 's'}.`
              : `${this.format._name} requires at least ${s} ${i} track${s === 1 ? '' : 's'}.`,
          );
      }
      let r = e.total.min;
      if (this.tracks.length < r)
        throw new Error(
          r === e.total.max
            ? `${this.format._name} requires exactly ${r} track${r === 1 ? '' : 's'}.`
            : `${this.format._name} requires at least ${r} track${r === 1 ? '' : 's'}.`,
        );
      if (this.state === 'canceled') throw new Error('Output has been canceled.');
      return this._startPromise
        ? (R._warn('Output has already been started.'), this._startPromise)
        : (this._startPromise = (async () => {
            this.state = 'started';
            let i = this._mutex.acquire();
            try {
              await this._muxer.start();
              let n = this.tracks.map((s) => s.source._start());
              await Promise.all(n);
            } finally {
              (await i)();
            }
          })());
    }
    getMimeType() {
      return this._muxer.getMimeType();
    }
    async cancel() {
      if (this.state === 'canceled') return this._cancelPromise ?? void 0;
      if (this.state === 'finalizing' || this.state === 'finalized') {
        this.state === 'finalized' && R._warn('Output has already been finalized.');
        return;
      }
      return (this._cancelPromise = (async () => {
        this.state = 'canceled';
        let e = await this._mutex.acquire();
        try {
          let r = this.tracks.map((i) => i.source._flushOrWaitForOngoingClose(!0));
          (await Promise.all(r),
            await Promise.all([...this._unfinalizedTargets].map((i) => i._close())),
            this._unfinalizedTargets.clear());
        } finally {
          e();
        }
      })());
    }
    async finalize() {
      if (this.state === 'pending') throw new Error('Cannot finalize before starting.');
      if (this.state === 'canceled') throw new Error('Cannot finalize after canceling.');
      return this._finalizePromise
        ? (R._warn('Output has already been finalized.'), this._finalizePromise)
        : (this._finalizePromise = (async () => {
            this.state = 'finalizing';
            let e = await this._mutex.acquire();
            try {
              let r = this.tracks.map((i) => i.source._flushOrWaitForOngoingClose(!1));
              if ((await Promise.all(r), await this._muxer.finalize(), this._rootWriterPromise)) {
                let i = await this._rootWriterPromise;
                i.finalized || (await i.flush(), await i.finalize());
              }
              (this._onFinalize && (await this._onFinalize()), (this.state = 'finalized'));
            } catch (r) {
              throw ((this.state = 'canceled'), r);
            } finally {
              (await Promise.all([...this._unfinalizedTargets].map((r) => r._close().catch(() => {}))),
                this._unfinalizedTargets.clear(),
                e());
            }
          })());
    }
  };
/*!
 * Copyright (c) 2026-present, Vanilagy and contributors
 *
 * This Source Code Form is subject to the terms of the Mozilla Public
 * License, v. 2.0. If a copy of the MPL was not distributed with this
 * file, You can obtain one at https://mozilla.org/MPL/2.0/.
 */ var Rn = Symbol.for('mediabunny loaded');
globalThis[Rn] &&
  R._error(`[WARNING]
Mediabunny was loaded twice. This will likely cause Mediabunny not to work correctly. Check if multiple dependencies are importing different versions of Mediabunny, or if something is being bundled incorrectly.`);
globalThis[Rn] = !0;
export {
  Re as BufferTarget,
  ir as CanvasSource,
  vt as Mp4OutputFormat,
  ar as Output,
  Fe as WebMOutputFormat,
  ln as getFirstEncodableVideoCodec,
};

import type { RgbImage } from "../data/image.ts";
import { checkImageFile, declaredSize, MAX_PIXELS, stopsShort, tooLarge } from "../data/image-file.ts";
import { TesseraeError } from "../errors.ts";

/** The pixels of the file: colour profiles ignored, alpha apart, turned as EXIF says. */
const AS_STORED: ImageBitmapOptions = {
  imageOrientation: "from-image",
  premultiplyAlpha: "none",
  colorSpaceConversion: "none",
};

/** Side of the parts that pass through WebGL; every implementation takes textures of this size. */
const TILE = 2048;

/**
 * The bytes of an image file -> 8-bit RGB by the rules of `decodeImage` in Node: colour profiles ignored, alpha dropped,
 * the high byte of 16 bits, the EXIF orientation applied, the first frame of an animation. Formats are the browser's.
 * @throws TesseraeError `data`, one line that names the file: empty, not an image, truncated, damaged, too large.
 */
export async function decodeImage(file: Blob | Uint8Array, name = nameOf(file)): Promise<RgbImage> {
  const bytes = file instanceof Uint8Array ? file : new Uint8Array(await file.arrayBuffer());
  checkImageFile(bytes, name);
  const refuse = (what: string, cause?: unknown) => new TesseraeError("data", what, { where: name, cause });
  const [width, height] = declaredSize(bytes) ?? [0, 0];
  if (width * height > MAX_PIXELS) throw refuse(tooLarge);
  if (stopsShort(bytes)) throw refuse("truncated");
  const bitmap = await createImageBitmap(new Blob([bytes as Uint8Array<ArrayBuffer>]), AS_STORED).catch((cause) => {
    throw refuse("damaged, or of a format that this browser does not read", cause);
  });
  try {
    if (bitmap.width * bitmap.height > MAX_PIXELS) throw refuse(tooLarge);
    return { width: bitmap.width, height: bitmap.height, data: await rgbOf(bitmap) };
  } finally {
    bitmap.close();
  }
}

const nameOf = (file: Blob | Uint8Array): string =>
  typeof File !== "undefined" && file instanceof File && file.name ? file.name : "image";

async function rgbOf(bitmap: ImageBitmap): Promise<Uint8Array> {
  const { width, height } = bitmap;
  const context = new OffscreenCanvas(width, height).getContext("2d", { willReadFrequently: true });
  if (!context) throw new TesseraeError("runtime", "this browser gives no canvas");
  context.drawImage(bitmap, 0, 0);
  const { data } = context.getImageData(0, 0, width, height);
  // A canvas keeps colours multiplied by alpha, which loses some where alpha is below 255.
  if (isOpaque(data)) return withoutAlpha(data);
  return withoutAlpha((await unmultiplied(bitmap)) ?? data);
}

function isOpaque(rgba: Uint8ClampedArray): boolean {
  for (let i = 3; i < rgba.length; i += 4) if (rgba[i] !== 255) return false;
  return true;
}

function withoutAlpha(rgba: Uint8ClampedArray | Uint8Array): Uint8Array {
  const rgb = new Uint8Array((rgba.length / 4) * 3);
  for (let p = 0, q = 0; q < rgb.length; p += 4, q += 3) {
    rgb[q] = rgba[p];
    rgb[q + 1] = rgba[p + 1];
    rgb[q + 2] = rgba[p + 2];
  }
  return rgb;
}

/** One context for all pictures: browsers allow few. */
let gl: WebGLRenderingContext | null | undefined;

function webgl(): WebGLRenderingContext | undefined {
  if (!gl || gl.isContextLost()) gl = new OffscreenCanvas(1, 1).getContext("webgl");
  return gl ?? undefined;
}

/** RGBA as the file has it, through a texture, which keeps colour and alpha apart; undefined without WebGL. */
async function unmultiplied(bitmap: ImageBitmap): Promise<Uint8Array | undefined> {
  const context = webgl();
  if (!context) return undefined;
  const { width, height } = bitmap;
  const out = new Uint8Array(4 * width * height);
  for (let y = 0; y < height; y += TILE)
    for (let x = 0; x < width; x += TILE) {
      const [w, h] = [Math.min(TILE, width - x), Math.min(TILE, height - y)];
      const part = await createImageBitmap(bitmap, x, y, w, h, { ...AS_STORED, imageOrientation: "none" });
      const pixels = throughTexture(context, part);
      part.close();
      for (let row = 0; row < h; row++)
        out.set(pixels.subarray(4 * row * w, 4 * (row + 1) * w), 4 * ((y + row) * width + x));
    }
  return out;
}

function throughTexture(gl: WebGLRenderingContext, bitmap: ImageBitmap): Uint8Array {
  const { width, height } = bitmap;
  const texture = gl.createTexture();
  gl.bindTexture(gl.TEXTURE_2D, texture);
  gl.pixelStorei(gl.UNPACK_PREMULTIPLY_ALPHA_WEBGL, false);
  gl.pixelStorei(gl.UNPACK_COLORSPACE_CONVERSION_WEBGL, gl.NONE);
  gl.texImage2D(gl.TEXTURE_2D, 0, gl.RGBA, gl.RGBA, gl.UNSIGNED_BYTE, bitmap);
  const frame = gl.createFramebuffer();
  gl.bindFramebuffer(gl.FRAMEBUFFER, frame);
  gl.framebufferTexture2D(gl.FRAMEBUFFER, gl.COLOR_ATTACHMENT0, gl.TEXTURE_2D, texture, 0);
  const pixels = new Uint8Array(4 * width * height);
  gl.readPixels(0, 0, width, height, gl.RGBA, gl.UNSIGNED_BYTE, pixels);
  gl.deleteFramebuffer(frame);
  gl.deleteTexture(texture);
  return pixels;
}

/** Importing this module defines every operator. */
import "./activation.ts";
import "./blocked.ts";
import "./conv.ts";
import "./elementwise.ts";
import "./linalg.ts";
import "./norm.ts";
import "./pool.ts";
import "./quantize.ts";
import "./reduce.ts";
import "./if.ts";
import "./scan.ts";
import "./shape.ts";

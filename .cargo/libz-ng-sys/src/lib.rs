//! The interface flate2 expects of zlib-ng, answered by zlib-rs.
//!
//! flate2 fills in the allocator fields as plain function pointers, zlib-rs declares them as
//! optional ones. Both have one layout, so the stream is passed on by a pointer cast; the
//! assertions below keep that true.
#![no_std]
#![allow(non_camel_case_types, non_snake_case, clippy::missing_safety_doc)]

use core::ffi::{c_char, c_int, c_ulong, c_void};
use core::mem::{align_of, offset_of, size_of};
use libz_rs_sys as rs;

pub use rs::{
    Z_BLOCK, Z_BUF_ERROR, Z_DATA_ERROR, Z_DEFAULT_STRATEGY, Z_DEFLATED, Z_FINISH, Z_FULL_FLUSH,
    Z_MEM_ERROR, Z_NEED_DICT, Z_NO_FLUSH, Z_OK, Z_PARTIAL_FLUSH, Z_STREAM_END, Z_STREAM_ERROR,
    Z_SYNC_FLUSH, uInt, zlibVersion,
};

#[repr(C)]
pub struct z_stream {
    pub next_in: *mut u8,
    pub avail_in: uInt,
    pub total_in: c_ulong,
    pub next_out: *mut u8,
    pub avail_out: uInt,
    pub total_out: c_ulong,
    pub msg: *mut c_char,
    pub state: *mut c_void,
    pub zalloc: extern "C" fn(*mut c_void, uInt, uInt) -> *mut c_void,
    pub zfree: extern "C" fn(*mut c_void, *mut c_void),
    pub opaque: *mut c_void,
    pub data_type: c_int,
    pub adler: c_ulong,
    pub reserved: c_ulong,
}

const _: () = {
    assert!(size_of::<z_stream>() == size_of::<rs::z_stream>());
    assert!(align_of::<z_stream>() == align_of::<rs::z_stream>());
    assert!(offset_of!(z_stream, state) == offset_of!(rs::z_stream, state));
    assert!(offset_of!(z_stream, zalloc) == offset_of!(rs::z_stream, zalloc));
    assert!(offset_of!(z_stream, opaque) == offset_of!(rs::z_stream, opaque));
    assert!(offset_of!(z_stream, reserved) == offset_of!(rs::z_stream, reserved));
};

/// Passes a call on with the stream pointer cast to zlib-rs's own type.
macro_rules! forward {
    ($($name:ident($($arg:ident: $kind:ty),*);)*) => {$(
        pub unsafe fn $name(stream: *mut z_stream $(, $arg: $kind)*) -> c_int {
            // SAFETY: the caller keeps zlib's contract; the two structures have one layout.
            unsafe { rs::$name(stream.cast() $(, $arg)*) }
        }
    )*};
}

forward! {
    deflate(flush: c_int);
    deflateEnd();
    deflateReset();
    deflateInit2_(level: c_int, method: c_int, bits: c_int, mem: c_int, strategy: c_int, version: *const c_char, size: c_int);
    deflateParams(level: c_int, strategy: c_int);
    deflateSetDictionary(dictionary: *const u8, len: uInt);
    inflate(flush: c_int);
    inflateEnd();
    inflateReset2(bits: c_int);
    inflateInit2_(bits: c_int, version: *const c_char, size: c_int);
    inflateSetDictionary(dictionary: *const u8, len: uInt);
}

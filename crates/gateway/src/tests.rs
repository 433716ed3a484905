//! Tests of the whole router over doors of its own.

mod openapi;

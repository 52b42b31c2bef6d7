;; Asks its host: a plain function, and an interface with a version. `relay` gives the text to the one and a number to the other.
(component
  (import "log" (func $log (param "message" string)))
  (import "acme:numbers/math@1.2.0" (instance $math
    (export "scale" (func (param "value" f64) (param "by" s32) (result f64)))))

  (core module $room
    (memory (export "memory") 1)
    (global $top (mut i32) (i32.const 64))
    (func (export "realloc") (param i32 i32 i32 i32) (result i32)
      (local $at i32)
      (local.set $at (global.get $top))
      (global.set $top (i32.add (local.get $at) (local.get 3)))
      (if (i32.gt_u (global.get $top) (i32.const 65536)) (then unreachable))
      (local.get $at))
    (func (export "reset") (global.set $top (i32.const 64))))
  (core instance $room (instantiate $room))
  (alias core export $room "memory" (core memory $memory))
  (core func $log' (canon lower (func $log) (memory $memory)))
  (core func $scale' (canon lower (func $math "scale")))

  (core module $core
    (import "room" "reset" (func $reset))
    (import "host" "log" (func $log (param i32 i32)))
    (import "host" "scale" (func $scale (param f64 i32) (result f64)))
    (func (export "relay") (param $at i32) (param $length i32) (result f64)
      (call $log (local.get $at) (local.get $length))
      (call $reset)
      (call $scale (f64.convert_i32_u (local.get $length)) (i32.const -2))))
  (core instance $guest (instantiate $core
    (with "room" (instance $room))
    (with "host" (instance (export "log" (func $log')) (export "scale" (func $scale'))))))
  (func (export "relay") (param "message" string) (result f64)
    (canon lift (core func $guest "relay") (memory $memory) (realloc (core func $room "realloc")))))

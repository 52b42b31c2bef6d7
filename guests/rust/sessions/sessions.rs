// Sessions without a store: a token is `NAME.EXPIRES.SIGNATURE`, the name and the signature in hexadecimal, the time in seconds since 1970.
// Settings: `key`, which signs, and `password`.
#[path = "../abi.rs"]
mod abi;
mod hmac;

use std::mem::MaybeUninit;

use abi::{give, Maybe, Outcome, Text};
use hmac::{hmac_sha256, same};

const LONGEST_NAME: usize = 40;
const SECONDS: u64 = 3600;

#[repr(C, u8)]
#[derive(Clone, Copy)]
enum Refusal {
    WrongPassword,
    SignedOut,
    Forged,
    Expired,
    SetUp(Text),
}

#[repr(C)]
#[derive(Clone, Copy)]
struct Session {
    token: Text,
    cookie: Text,
    next: Text,
}

#[repr(C, u8)]
#[allow(dead_code)]
#[derive(Clone, Copy)]
enum ConfigError {
    Upstream(Text),
    Io(Text),
}

#[repr(C)]
struct DateTime {
    seconds: u64,
    nanoseconds: u32,
}

#[link(wasm_import_module = "wasi:config/store@0.2.0-rc.1")]
extern "C" {
    #[link_name = "get"]
    fn get_setting(key: *const u8, length: usize, result: *mut Outcome<Maybe<Text>, ConfigError>);
}

#[link(wasm_import_module = "wasi:clocks/wall-clock@0.2.12")]
extern "C" {
    #[link_name = "now"]
    fn now(result: *mut DateTime);
}

fn setting(name: &'static str) -> Result<Text, Refusal> {
    let mut result = MaybeUninit::uninit();
    let answer = unsafe {
        get_setting(name.as_ptr(), name.len(), result.as_mut_ptr());
        result.assume_init()
    };
    match answer {
        Outcome::Ok(Maybe::Some(value)) if !value.is_empty() => Ok(value),
        _ => Err(Refusal::SetUp(format!("there is no setting `{}`", name).into())),
    }
}

fn now_seconds() -> u64 {
    let mut result = MaybeUninit::uninit();
    unsafe {
        now(result.as_mut_ptr());
        result.assume_init().seconds
    }
}

fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{:02x}", byte)).collect()
}

fn bytes_of(text: &str) -> Option<Vec<u8>> {
    if text.len() % 2 != 0 || !text.is_ascii() {
        return None;
    }
    (0..text.len()).step_by(2).map(|at| u8::from_str_radix(&text[at..at + 2], 16).ok()).collect()
}

fn is_name(name: &str) -> bool {
    (1..=LONGEST_NAME).contains(&name.chars().count()) && !name.chars().any(|c| c < ' ' || c == '.')
}

fn signed(name: &str, expires: u64, key: &str) -> String {
    let claim = format!("{}.{}", hexadecimal(name.as_bytes()), expires);
    let signature = hexadecimal(&hmac_sha256(key.as_bytes(), claim.as_bytes()));
    format!("{}.{}", claim, signature)
}

fn sign_in(name: Text, password: Text) -> Result<Session, Refusal> {
    let key = setting("key")?;
    // Digests of the same length: how long comparing takes tells nothing of the password.
    let [wanted, given] = [setting("password")?, password].map(|text| hmac_sha256(key.as_bytes(), text.as_bytes()));
    if !same(&wanted, &given) || !is_name(&name) {
        return Err(Refusal::WrongPassword);
    }
    let token = signed(&name, now_seconds() + SECONDS, &key);
    let cookie = format!("session={}; Path=/; Max-Age={}; HttpOnly; SameSite=Lax", token, SECONDS);
    Ok(Session { token: token.into(), cookie: cookie.into(), next: "/members/".into() })
}

fn check(token: Option<&str>) -> Result<Text, Refusal> {
    let token = token.filter(|token| !token.is_empty()).ok_or(Refusal::SignedOut)?;
    let key = setting("key")?;
    let mut parts = token.split('.');
    let (name, expires) = match (parts.next().and_then(bytes_of), parts.next().and_then(|text| text.parse::<u64>().ok())) {
        (Some(name), Some(expires)) => (String::from_utf8(name).map_err(|_| Refusal::Forged)?, expires),
        _ => return Err(Refusal::Forged),
    };
    // Whatever the token looks like, it must be the one that is made of what it says.
    if !same(signed(&name, expires, &key).as_bytes(), token.as_bytes()) {
        return Err(Refusal::Forged);
    }
    if expires <= now_seconds() {
        return Err(Refusal::Expired);
    }
    Ok(name.into())
}

#[export_name = "acme:sessions/sessions@1.0.0#sign-in"]
unsafe extern "C" fn sign_in_export(
    name_at: *const u8,
    name_length: usize,
    password_at: *const u8,
    password_length: usize,
) -> *const Outcome<Session, Refusal> {
    give(sign_in(Text::new(name_at, name_length), Text::new(password_at, password_length)).into())
}

#[export_name = "acme:sessions/sessions@1.0.0#check"]
unsafe extern "C" fn check_export(is_some: u32, at: *const u8, length: usize) -> *const Outcome<Text, Refusal> {
    let token = Text::new(at, if is_some == 0 { 0 } else { length });
    give(check(Some(token.as_str())).into())
}

#[export_name = "acme:sessions/sessions@1.0.0#check-bearer"]
unsafe extern "C" fn check_bearer_export(is_some: u32, at: *const u8, length: usize) -> *const Outcome<Text, Refusal> {
    let header = Text::new(at, if is_some == 0 { 0 } else { length });
    let token = match header.as_str().split_once(' ') {
        Some((scheme, token)) if scheme.eq_ignore_ascii_case("bearer") => Some(token.trim()),
        _ => None,
    };
    give(check(token).into())
}

post_return! {
    after_sign_in = "cabi_post_acme:sessions/sessions@1.0.0#sign-in",
    after_check = "cabi_post_acme:sessions/sessions@1.0.0#check",
    after_check_bearer = "cabi_post_acme:sessions/sessions@1.0.0#check-bearer",
}

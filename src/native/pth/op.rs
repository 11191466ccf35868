//! Pickle opcodes: those that `torch.save` writes around tensors and state dicts, in protocols 2 to 4.

pub const MARK: u8 = b'(';
pub const STOP: u8 = b'.';
pub const PROTO: u8 = 0x80;
pub const FRAME: u8 = 0x95;

pub const NONE: u8 = b'N';
pub const NEW_TRUE: u8 = 0x88;
pub const NEW_FALSE: u8 = 0x89;
pub const BIN_INT: u8 = b'J';
pub const BIN_INT1: u8 = b'K';
pub const BIN_INT2: u8 = b'M';
pub const LONG1: u8 = 0x8a;
pub const BIN_FLOAT: u8 = b'G';
pub const BIN_UNICODE: u8 = b'X';
pub const SHORT_BIN_UNICODE: u8 = 0x8c;

pub const EMPTY_TUPLE: u8 = b')';
pub const TUPLE: u8 = b't';
pub const TUPLE1: u8 = 0x85;
pub const TUPLE2: u8 = 0x86;
pub const TUPLE3: u8 = 0x87;
pub const EMPTY_LIST: u8 = b']';
pub const APPEND: u8 = b'a';
pub const APPENDS: u8 = b'e';
pub const EMPTY_DICT: u8 = b'}';
pub const SET_ITEM: u8 = b's';
pub const SET_ITEMS: u8 = b'u';

pub const BIN_PUT: u8 = b'q';
pub const LONG_BIN_PUT: u8 = b'r';
pub const MEMOIZE: u8 = 0x94;
pub const BIN_GET: u8 = b'h';
pub const LONG_BIN_GET: u8 = b'j';

pub const GLOBAL: u8 = b'c';
pub const STACK_GLOBAL: u8 = 0x93;
/// Names a class as `GLOBAL` does, and makes an instance of it; only read to say which.
pub const INST: u8 = b'i';
pub const REDUCE: u8 = b'R';
pub const BUILD: u8 = b'b';
pub const BIN_PERS_ID: u8 = b'Q';

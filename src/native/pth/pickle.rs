//! The part of pickle that weights need, as an interpreter that can do nothing else.
//!
//! Python's pickle is a program for a stack machine that may import and call anything. This machine knows the few names
//! in [`Class`] and stops at any other. Lists, dicts and tuples live in one heap and are referred to by number, so that
//! shared and even circular ones need no care, and a hostile nesting no stack.

use std::collections::{BTreeMap, HashMap};
use std::io::{ErrorKind, Read};
use std::rc::Rc;

use burn::tensor::DType;

use super::error::Problem;
use super::op;

/// Longest module or class name that is read.
const MAX_NAME: usize = 256;
/// LFDM's checkpoints with their optimisers take a tenth of it. Without a limit, a large file of small opcodes could
/// fill the memory.
const MAX_BYTES: u64 = 4 << 20;
/// PyTorch itself allows 64 axes.
const MAX_RANK: usize = 64;

/// A finished pickle.
#[derive(Debug)]
pub(super) struct Pickle {
    pub root: Value,
    /// Every storage that a tensor may lie in, by its key.
    pub storages: BTreeMap<Rc<str>, Storage>,
    heap: Vec<Vec<Value>>,
}

/// What the stack and the containers hold.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Value {
    None,
    Bool(bool),
    Int(i128),
    Float(f64),
    Text(Rc<str>),
    Tuple(Node),
    List(Node),
    Dict(Node),
    Class(Class),
    Storage(Rc<Storage>),
    Tensor(Rc<TensorRef>),
}

/// A place in the heap. Dicts hold key, value, key, value, …
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Node(usize);

/// Every name that a pickle may mention.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Class {
    OrderedDict,
    /// `collections.Counter`, in which schedulers keep their milestones.
    Counter,
    /// `torch.Size`, a tuple.
    Size,
    RebuildTensor,
    RebuildParameter,
    Storage(Element),
}

/// What a storage is made of. Whole numbers are never weights, so only their size matters.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Element {
    Float(DType),
    Whole { bytes: usize },
}

/// A run of numbers in the file.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Storage {
    pub key: Rc<str>,
    pub element: Element,
    pub len: usize,
}

/// A tensor as a view of its storage, with every element inside it.
#[derive(Debug, Clone, PartialEq)]
pub struct TensorRef {
    pub(super) storage: Storage,
    pub(super) offset: usize,
    pub(super) shape: Vec<usize>,
    pub(super) strides: Vec<usize>,
}

impl Pickle {
    /// Interprets `input` up to its `STOP`; nothing behind it is read.
    pub(super) fn read(input: &mut impl Read) -> Result<Self, Problem> {
        let mut machine = Machine {
            input: Input { inner: input, at: 0 },
            stack: Vec::new(),
            marks: Vec::new(),
            memo: HashMap::new(),
            heap: Vec::new(),
            storages: BTreeMap::new(),
        };
        let root = machine.run()?;
        Ok(Self { root, storages: machine.storages, heap: machine.heap })
    }

    /// Elements of a tuple or list; keys and values of a dict in turn.
    pub(super) fn items(&self, node: Node) -> &[Value] {
        &self.heap[node.0]
    }

    /// The value under a text key of the root, if that is a dict.
    pub(super) fn get(&self, key: &str) -> Option<&Value> {
        let Value::Dict(node) = self.root else { return None };
        let mut pairs = self.items(node).chunks_exact(2);
        pairs.find(|pair| matches!(&pair[0], Value::Text(text) if **text == *key)).map(|pair| &pair[1])
    }
}

impl Class {
    fn named(module: &str, name: &str) -> Option<Self> {
        let storage = |dtype| Some(Self::Storage(Element::Float(dtype)));
        let whole = |bytes| Some(Self::Storage(Element::Whole { bytes }));
        match (module, name) {
            ("collections", "OrderedDict") => Some(Self::OrderedDict),
            ("collections", "Counter") => Some(Self::Counter),
            ("torch", "Size") => Some(Self::Size),
            ("torch._utils", "_rebuild_tensor_v2") => Some(Self::RebuildTensor),
            ("torch._utils", "_rebuild_parameter") => Some(Self::RebuildParameter),
            ("torch", "DoubleStorage") => storage(DType::F64),
            ("torch", "FloatStorage") => storage(DType::F32),
            ("torch", "HalfStorage") => storage(DType::F16),
            ("torch", "BFloat16Storage") => storage(DType::BF16),
            ("torch", "LongStorage") => whole(8),
            ("torch", "IntStorage") => whole(4),
            ("torch", "ShortStorage") => whole(2),
            ("torch", "CharStorage" | "ByteStorage" | "BoolStorage") => whole(1),
            _ => None,
        }
    }
}

impl Element {
    pub(super) fn size(self) -> usize {
        match self {
            Self::Float(dtype) => dtype.size(),
            Self::Whole { bytes } => bytes,
        }
    }
}

impl Storage {
    /// Bytes in the file.
    pub(super) fn bytes(&self) -> Option<usize> {
        self.len.checked_mul(self.element.size())
    }
}

impl TensorRef {
    /// Its sides, outermost first.
    pub fn shape(&self) -> &[usize] {
        &self.shape
    }

    /// Whether it counts something: whole numbers, or one number alone.
    pub(crate) fn is_counter(&self) -> bool {
        self.shape.is_empty() || matches!(self.storage.element, Element::Whole { .. })
    }

    /// Refuses whatever would reach outside of the storage, and views with more elements than it has.
    fn new(storage: Storage, offset: usize, shape: Vec<usize>, strides: Vec<usize>) -> Option<Self> {
        if shape.len() != strides.len() || shape.len() > MAX_RANK {
            return None;
        }
        // Without the sides of 0, too: the strides of an empty tensor are multiplied like others.
        let room = shape.iter().try_fold(1usize, |product, &side| product.checked_mul(side.max(1)))?;
        let elements = if shape.contains(&0) { 0 } else { room };
        if elements > 0 {
            let last = shape
                .iter()
                .zip(&strides)
                .try_fold(offset, |last, (&side, &stride)| last.checked_add((side - 1).checked_mul(stride)?))?;
            if last >= storage.len || elements > storage.len {
                return None;
            }
        }
        Some(Self { storage, offset, shape, strides })
    }
}

/// The bytes, and how many of them are read.
struct Input<'a, R> {
    inner: &'a mut R,
    at: u64,
}

impl<R: Read> Input<'_, R> {
    fn array<const N: usize>(&mut self) -> Result<[u8; N], Problem> {
        let mut bytes = [0; N];
        self.inner.read_exact(&mut bytes).map_err(|error| match error.kind() {
            ErrorKind::UnexpectedEof => self.ended(),
            _ => Problem::Io(error),
        })?;
        self.at += N as u64;
        Ok(bytes)
    }

    fn byte(&mut self) -> Result<u8, Problem> {
        Ok(self.array::<1>()?[0])
    }

    /// `length` bytes; memory grows with what is there and not with what is promised.
    fn bytes(&mut self, length: usize) -> Result<Vec<u8>, Problem> {
        let mut bytes = Vec::new();
        self.inner.by_ref().take(length as u64).read_to_end(&mut bytes).map_err(Problem::Io)?;
        if bytes.len() < length {
            return Err(self.ended());
        }
        self.at += length as u64;
        Ok(bytes)
    }

    fn text(&mut self, length: usize) -> Result<Rc<str>, Problem> {
        let bytes = self.bytes(length)?;
        let text = std::str::from_utf8(&bytes).map_err(|_| self.malformed("a text is not UTF-8"))?;
        Ok(text.into())
    }

    fn line(&mut self) -> Result<String, Problem> {
        let mut line = Vec::new();
        loop {
            match self.byte()? {
                b'\n' => return String::from_utf8(line).map_err(|_| self.malformed("a name is not UTF-8")),
                _ if line.len() == MAX_NAME => return Err(self.malformed("a name does not end")),
                byte => line.push(byte),
            }
        }
    }

    fn ended(&self) -> Problem {
        Problem::Damaged(format!("its pickle breaks off at byte {}", self.at))
    }

    fn malformed(&self, what: &str) -> Problem {
        Problem::Damaged(format!("in its pickle, at byte {}, {what}", self.at))
    }
}

struct Machine<'a, R> {
    input: Input<'a, R>,
    stack: Vec<Value>,
    /// Heights of the stack.
    marks: Vec<usize>,
    memo: HashMap<u32, Value>,
    heap: Vec<Vec<Value>>,
    storages: BTreeMap<Rc<str>, Storage>,
}

impl<R: Read> Machine<'_, R> {
    #[expect(clippy::too_many_lines, reason = "an arm for each opcode")]
    fn run(&mut self) -> Result<Value, Problem> {
        loop {
            if self.input.at > MAX_BYTES {
                return Err(Problem::Foreign(format!("its pickle is longer than {MAX_BYTES} bytes")));
            }
            match self.input.byte()? {
                op::PROTO => match self.input.byte()? {
                    0..=4 => {}
                    other => return Err(Problem::Foreign(format!("it is a pickle of protocol {other}"))),
                },
                op::FRAME => drop(self.input.array::<8>()?),
                op::STOP => return self.pop(),
                op::MARK => self.marks.push(self.stack.len()),

                op::NONE => self.stack.push(Value::None),
                op::NEW_TRUE => self.stack.push(Value::Bool(true)),
                op::NEW_FALSE => self.stack.push(Value::Bool(false)),
                op::BIN_INT => {
                    let number = i32::from_le_bytes(self.input.array()?);
                    self.stack.push(Value::Int(number.into()));
                }
                op::BIN_INT1 => {
                    let number = self.input.byte()?;
                    self.stack.push(Value::Int(number.into()));
                }
                op::BIN_INT2 => {
                    let number = u16::from_le_bytes(self.input.array()?);
                    self.stack.push(Value::Int(number.into()));
                }
                op::LONG1 => {
                    let number = self.long()?;
                    self.stack.push(Value::Int(number));
                }
                op::BIN_FLOAT => {
                    let number = f64::from_be_bytes(self.input.array()?);
                    self.stack.push(Value::Float(number));
                }
                op::BIN_UNICODE => {
                    let length = u32::from_le_bytes(self.input.array()?);
                    let text = self.input.text(length as usize)?;
                    self.stack.push(Value::Text(text));
                }
                op::SHORT_BIN_UNICODE => {
                    let length = self.input.byte()?;
                    let text = self.input.text(length.into())?;
                    self.stack.push(Value::Text(text));
                }

                op::EMPTY_TUPLE => self.push_tuple(Vec::new()),
                op::TUPLE => {
                    let items = self.pop_mark()?;
                    self.push_tuple(items);
                }
                code @ (op::TUPLE1 | op::TUPLE2 | op::TUPLE3) => {
                    let mut items = Vec::new();
                    for _ in op::TUPLE1..=code {
                        items.push(self.pop()?);
                    }
                    items.reverse();
                    self.push_tuple(items);
                }
                op::EMPTY_LIST => {
                    let node = self.allocate(Vec::new());
                    self.stack.push(Value::List(node));
                }
                op::EMPTY_DICT => {
                    let node = self.allocate(Vec::new());
                    self.stack.push(Value::Dict(node));
                }
                op::APPEND => {
                    let item = self.pop()?;
                    self.extend(vec![item], false)?;
                }
                op::APPENDS => {
                    let items = self.pop_mark()?;
                    self.extend(items, false)?;
                }
                op::SET_ITEM => {
                    let (value, key) = (self.pop()?, self.pop()?);
                    self.extend(vec![key, value], true)?;
                }
                op::SET_ITEMS => {
                    let items = self.pop_mark()?;
                    self.extend(items, true)?;
                }

                op::BIN_PUT => {
                    let index = self.input.byte()?;
                    self.memorise(index.into())?;
                }
                op::LONG_BIN_PUT => {
                    let index = u32::from_le_bytes(self.input.array()?);
                    self.memorise(index)?;
                }
                op::MEMOIZE => self.memorise(self.memo.len() as u32)?,
                op::BIN_GET => {
                    let index = self.input.byte()?;
                    self.recall(index.into())?;
                }
                op::LONG_BIN_GET => {
                    let index = u32::from_le_bytes(self.input.array()?);
                    self.recall(index)?;
                }

                code @ (op::GLOBAL | op::INST) => {
                    let (module, name) = (self.input.line()?, self.input.line()?);
                    if code == op::INST {
                        return Err(Problem::Code(format!("{module}.{name}")));
                    }
                    self.push_class(&module, &name)?;
                }
                op::STACK_GLOBAL => match (self.pop()?, self.pop()?) {
                    (Value::Text(name), Value::Text(module)) => self.push_class(&module, &name)?,
                    _ => return Err(self.input.malformed("a name is not text")),
                },
                op::REDUCE => {
                    let (arguments, class) = (self.pop_tuple()?, self.pop()?);
                    let Value::Class(class) = class else {
                        return Err(self.input.malformed("something other than a class is called"));
                    };
                    let value = self.reduce(class, &arguments)?;
                    self.stack.push(value);
                }
                // The attributes of an ordered dict: PyTorch keeps version numbers of modules there.
                op::BUILD => {
                    self.pop()?;
                    if !matches!(self.stack.last(), Some(Value::Dict(_))) {
                        return Err(self.input.malformed("something other than a dict has attributes"));
                    }
                }
                op::BIN_PERS_ID => {
                    let id = self.pop_tuple()?;
                    let storage = self.storage(&id)?;
                    self.stack.push(Value::Storage(Rc::new(storage)));
                }
                code => {
                    let what = format!(
                        "opcode {code:#04x} at byte {} of its pickle, which no weights need",
                        self.input.at - 1
                    );
                    return Err(Problem::Foreign(what));
                }
            }
        }
    }

    /// What a call of one of the known names gives.
    fn reduce(&mut self, class: Class, arguments: &[Value]) -> Result<Value, Problem> {
        let value = match (class, arguments) {
            (Class::Counter, [dict @ Value::Dict(_)]) => Some(dict.clone()),
            (Class::OrderedDict | Class::Counter, []) => Some(Value::Dict(self.allocate(Vec::new()))),
            (Class::Size, [Value::Tuple(sides)]) => Some(Value::Tuple(*sides)),
            (Class::RebuildParameter, [tensor @ Value::Tensor(_), ..]) => Some(tensor.clone()),
            (
                Class::RebuildTensor,
                [Value::Storage(storage), offset, Value::Tuple(shape), Value::Tuple(strides), ..],
            ) => {
                let numbers = |node: &Node| self.heap[node.0].iter().map(size).collect::<Option<Vec<_>>>();
                size(offset)
                    .zip(numbers(shape).zip(numbers(strides)))
                    .and_then(|(offset, (shape, strides))| {
                        TensorRef::new(Storage::clone(storage), offset, shape, strides)
                    })
                    .map(|tensor| Value::Tensor(Rc::new(tensor)))
            }
            _ => None,
        };
        value.ok_or_else(|| match class {
            Class::RebuildTensor => self.input.malformed("a tensor reaches outside its storage"),
            _ => self.input.malformed(&format!("{class:?} is called with arguments that it does not take")),
        })
    }

    /// The storage that a persistent id stands for: `("storage", class, key, location, elements)` and, in the legacy
    /// format, a view.
    fn storage(&mut self, id: &[Value]) -> Result<Storage, Problem> {
        let storage = match id {
            [
                Value::Text(kind),
                Value::Class(Class::Storage(element)),
                Value::Text(key),
                Value::Text(_),
                len,
                view @ ..,
            ] if **kind == *"storage" => {
                if !matches!(view, [] | [Value::None]) {
                    return Err(Problem::Foreign(
                        "its storages are views of others, as PyTorch wrote them before 1.0".into(),
                    ));
                }
                size(len).map(|len| Storage { key: key.clone(), element: *element, len })
            }
            _ => None,
        };
        let storage = storage.ok_or_else(|| self.input.malformed("a persistent id names no storage"))?;
        match self.storages.insert(storage.key.clone(), storage.clone()) {
            Some(other) if other != storage => Err(self.input.malformed("a storage has two sizes")),
            _ => Ok(storage),
        }
    }

    fn push_class(&mut self, module: &str, name: &str) -> Result<(), Problem> {
        let class = Class::named(module, name).ok_or_else(|| Problem::Code(format!("{module}.{name}")))?;
        self.stack.push(Value::Class(class));
        Ok(())
    }

    /// A little-endian two's complement number of a length that stands before it.
    fn long(&mut self) -> Result<i128, Problem> {
        let length = usize::from(self.input.byte()?);
        let bytes = self.input.bytes(length)?;
        let negative = bytes.last().is_some_and(|last| last & 0x80 != 0);
        let mut number = [if negative { 0xff } else { 0 }; 16];
        match number.get_mut(..length) {
            Some(low) => low.copy_from_slice(&bytes),
            None => return Err(self.input.malformed("a number is larger than any size")),
        }
        Ok(i128::from_le_bytes(number))
    }

    fn allocate(&mut self, items: Vec<Value>) -> Node {
        self.heap.push(items);
        Node(self.heap.len() - 1)
    }

    fn push_tuple(&mut self, items: Vec<Value>) {
        let node = self.allocate(items);
        self.stack.push(Value::Tuple(node));
    }

    /// The top of the stack, unless a mark lies there.
    fn pop(&mut self) -> Result<Value, Problem> {
        let floor = self.marks.last().copied().unwrap_or(0);
        let value = if self.stack.len() > floor { self.stack.pop() } else { None };
        value.ok_or_else(|| self.input.malformed("a value is missing"))
    }

    fn pop_tuple(&mut self) -> Result<Vec<Value>, Problem> {
        match self.pop()? {
            Value::Tuple(node) => Ok(self.heap[node.0].clone()),
            _ => Err(self.input.malformed("a tuple is missing")),
        }
    }

    /// Everything above the last mark.
    fn pop_mark(&mut self) -> Result<Vec<Value>, Problem> {
        let mark = self.marks.pop().ok_or_else(|| self.input.malformed("a mark is missing"))?;
        Ok(self.stack.split_off(mark))
    }

    /// Adds to the container on top of the stack.
    fn extend(&mut self, items: Vec<Value>, pairs: bool) -> Result<(), Problem> {
        let floor = self.marks.last().copied().unwrap_or(0);
        match self.stack[floor..].last() {
            Some(Value::List(node)) if !pairs => self.heap[node.0].extend(items),
            Some(Value::Dict(node)) if pairs && items.len().is_multiple_of(2) => self.heap[node.0].extend(items),
            _ => return Err(self.input.malformed("items have no container")),
        }
        Ok(())
    }

    fn memorise(&mut self, index: u32) -> Result<(), Problem> {
        let top = self.stack.last().cloned().ok_or_else(|| self.input.malformed("a value is missing"))?;
        self.memo.insert(index, top);
        Ok(())
    }

    fn recall(&mut self, index: u32) -> Result<(), Problem> {
        let value = self
            .memo
            .get(&index)
            .cloned()
            .ok_or_else(|| self.input.malformed("a value is recalled before it is known"))?;
        self.stack.push(value);
        Ok(())
    }
}

/// A whole number that can be a size.
fn size(value: &Value) -> Option<usize> {
    match value {
        Value::Int(number) => usize::try_from(*number).ok(),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(mut bytes: &[u8]) -> Result<Pickle, Problem> {
        Pickle::read(&mut bytes)
    }

    fn refusal(bytes: &[u8]) -> String {
        read(bytes).unwrap_err().to_string()
    }

    /// `(storage, offset, shape, strides, False, OrderedDict())` of a storage of six floats, protocol 2.
    fn tensor(offset: u8, shape: [u8; 2], strides: [u8; 2]) -> Vec<u8> {
        let mut bytes = b"\x80\x02ctorch._utils\n_rebuild_tensor_v2\n((X\x07\0\0\0storagectorch\nFloatStorage\n\
            X\x01\0\0\x000X\x03\0\0\0cpuK\x06tQ"
            .to_vec();
        bytes.extend([b'K', offset, b'K', shape[0], b'K', shape[1], op::TUPLE2]);
        bytes.extend([b'K', strides[0], b'K', strides[1], op::TUPLE2, op::NEW_FALSE]);
        bytes.extend(b"ccollections\nOrderedDict\n)RtR.");
        bytes
    }

    #[test]
    fn plain_values_are_read_in_protocols_2_and_4() {
        // pickle.dumps({"a": [1, -2, 300, 70000, 2**40], "b": (None, True, 1.5)}, protocol)
        let two =
            b"\x80\x02}q\0(X\x01\0\0\0aq\x01]q\x02(K\x01J\xfe\xff\xff\xffM,\x01Jp\x11\x01\0\x8a\x06\0\0\0\0\0\x01e\
            X\x01\0\0\0bq\x03N\x88G?\xf8\0\0\0\0\0\0\x87q\x04u.";
        let four = b"\x80\x04\x95/\0\0\0\0\0\0\0}\x94(\x8c\x01a\x94]\x94(\
            K\x01J\xfe\xff\xff\xffM,\x01Jp\x11\x01\0\x8a\x06\0\0\0\0\0\x01e\
            \x8c\x01b\x94N\x88G?\xf8\0\0\0\0\0\0\x87\x94u.";
        for bytes in [&two[..], &four[..]] {
            let pickle = read(bytes).unwrap();
            let Some(Value::List(list)) = pickle.get("a") else { panic!("{pickle:?}") };
            assert_eq!(pickle.items(*list), [1, -2, 300, 70000, 1 << 40].map(Value::Int));
            let Some(Value::Tuple(tuple)) = pickle.get("b") else { panic!("{pickle:?}") };
            assert_eq!(pickle.items(*tuple), [Value::None, Value::Bool(true), Value::Float(1.5)]);
        }
    }

    #[test]
    fn a_container_that_is_recalled_is_the_same_container() {
        // a = []; [a, a] with the number 7 appended to the first afterwards, and a list in itself.
        let pickle = read(b"\x80\x02](]q\x01h\x01K\x07ae.").unwrap();
        let Value::List(outer) = pickle.root else { panic!("{pickle:?}") };
        let [Value::List(first), Value::List(second)] = pickle.items(outer) else { panic!("{pickle:?}") };
        assert_eq!((first, pickle.items(*second)), (second, &[Value::Int(7)][..]));
        assert!(read(b"\x80\x02]q\x01h\x01a.").is_ok());
    }

    #[test]
    fn a_tensor_is_a_view_inside_of_its_storage() {
        let pickle = read(&tensor(0, [3, 2], [1, 3])).unwrap();
        let Value::Tensor(tensor_ref) = &pickle.root else { panic!("{pickle:?}") };
        assert_eq!((&tensor_ref.shape[..], &tensor_ref.strides[..]), (&[3, 2][..], &[1, 3][..]));
        assert_eq!(pickle.storages.values().map(Storage::bytes).collect::<Vec<_>>(), [Some(24)]);
        assert!(read(&tensor(7, [0, 2], [2, 1])).is_ok(), "an empty tensor lies anywhere");
        let storage = Storage { key: "0".into(), element: Element::Float(DType::F32), len: 6 };
        let huge = TensorRef::new(storage, 0, vec![1 << 62, 0, 8, 8], vec![1; 4]);
        assert!(huge.is_none(), "nor may it be larger than memory but for one side");
        for outside in [tensor(1, [3, 2], [2, 1]), tensor(0, [2, 2], [6, 1]), tensor(0, [255, 255], [0, 0])] {
            assert!(refusal(&outside).contains("outside its storage"), "{}", refusal(&outside));
        }
    }

    #[test]
    fn the_milestones_of_a_scheduler_are_a_dict() {
        // pickle.dumps({"milestones": Counter({90: 1})}, 2)
        let pickle =
            read(b"\x80\x02}q\0X\x0a\0\0\0milestonesq\x01ccollections\nCounter\nq\x02}q\x03KZK\x01s\x85q\x04Rq\x05s.")
                .unwrap();
        let Some(Value::Dict(milestones)) = pickle.get("milestones") else { panic!("{pickle:?}") };
        assert_eq!(pickle.items(*milestones), [Value::Int(90), Value::Int(1)]);
    }

    #[test]
    fn code_is_named_and_refused_however_it_is_called() {
        let calls: [&[u8]; 6] = [
            b"cos\nsystem\n(S'id'\ntR.",
            b"\x80\x02cos\nsystem\nX\x02\0\0\0id\x85R.",
            b"\x80\x04\x8c\x02os\x94\x8c\x06system\x94\x93\x8c\x02id\x85R.",
            b"(ios\nsystem\n.",
            b"\x80\x02cos\nsystem\n\x81.",
            b"\x80\x02}cos\nsystem\n0.",
        ];
        for call in calls {
            assert!(refusal(call).contains("`os.system`"), "{}", refusal(call));
        }
        assert!(refusal(b"\x80\x02ctorch\nload\n.").contains("`torch.load`"));
        assert!(refusal(b"\x80\x02cbuiltins\neval\n.").contains("`builtins.eval`"));
        assert!(refusal(b"\x80\x02ctorch._utils\n_rebuild_parameter\n)R.").contains("arguments"));
        assert!(refusal(b"\x80\x02K\x01)R.").contains("other than a class is called"));
    }

    #[test]
    fn every_truncation_is_an_error() {
        let whole = tensor(0, [3, 2], [2, 1]);
        assert!(read(&whole).is_ok());
        for length in 0..whole.len() {
            let message = refusal(&whole[..length]);
            assert!(message.contains("breaks off"), "{length}: {message}");
        }
    }

    #[test]
    fn no_single_flipped_byte_panics() {
        let whole = tensor(0, [3, 2], [2, 1]);
        for place in 0..whole.len() {
            for value in 0..=255 {
                let mut bytes = whole.clone();
                bytes[place] = value;
                drop(read(&bytes));
            }
        }
    }

    #[test]
    fn promises_that_the_bytes_do_not_keep_are_refused() {
        let cases: [&[u8]; 9] = [
            b"\x80\x02X\xff\xff\xff\xffabc.",
            b"\x80\x02.",
            b"\x80\x02t.",
            b"\x80\x02(.",
            b"\x80\x02K\x01K\x02a.",
            b"\x80\x02}(K\x01u.",
            b"\x80\x02h\x05.",
            b"\x80\x02\x8a\xffabc.",
            b"\x80\x02K\x01}b.",
        ];
        for case in cases {
            assert!(matches!(read(case), Err(Problem::Damaged(_))), "{case:?} gives {:?}", read(case));
        }
        assert!(refusal(b"\x80\x05N.").contains("protocol 5"));
        let name = [b"\x80\x02c".as_slice(), &[b'a'; 1000]].concat();
        assert!(refusal(&name).contains("does not end"));
        assert!(refusal(&vec![op::NONE; MAX_BYTES as usize + 2]).contains("longer than"));
    }
}

// Node-API: turns the arguments of a call into plain data and hands them to the engine. One
// environment (the main thread, each worker) has one Addon.
#include <string>

#include "addon-napi.h"
#include "addon-program.h"
#include "engine.h"
#include "threads.h"

namespace fovea {
namespace {

#if defined(__clang__)
constexpr const char* compiler = "clang " __clang_version__;
#elif defined(__GNUC__)
constexpr const char* compiler = "gcc " __VERSION__;
#else
constexpr const char* compiler = "msvc";
#endif

const char* typeName(napi_env env, napi_value value) {
  napi_valuetype type;
  if (napi_typeof(env, value, &type) != napi_ok) return "something else";
  switch (type) {
    case napi_undefined:
      return "undefined";
    case napi_null:
      return "null";
    case napi_number:
      return "a number";
    case napi_string:
      return "a string";
    case napi_object:
      return "another object";
    default:
      return "something else";
  }
}

const char* arrayName(napi_typedarray_type type) {
  constexpr const char* names[] = {"an Int8Array",    "a Uint8Array",    "a Uint8ClampedArray",
                                   "an Int16Array",   "a Uint16Array",   "an Int32Array",
                                   "a Uint32Array",   "a Float32Array",  "a Float64Array",
                                   "a BigInt64Array", "a BigUint64Array"};
  const auto index = static_cast<unsigned>(type);
  return index < sizeof names / sizeof *names ? names[index] : "another typed array";
}

class Addon : public Napi::Addon<Addon> {
 public:
  Addon(Napi::Env env, Napi::Object exports) : programs_(env, engine_) {
    DefineAddon(exports, {
                             InstanceMethod<&Addon::describe>("describe"),
                             InstanceMethod<&Addon::isas>("isas"),
                             InstanceMethod<&Addon::selectIsa>("selectIsa"),
                             InstanceMethod<&Addon::setThreads>("setThreads"),
                             InstanceMethod<&Addon::info>("info"),
                         });
    // What is called often goes without the wrapper's allocations.
    define(env, exports, "run", call<readBuffers, &Engine::run>, this);
    define(env, exports, "pack", call<readOperands, &Engine::pack>, this);
    define(env, exports, "packedLength", packedLength, this);
    define(env, exports, "createProgram", AddonPrograms::create, &programs_);
    define(env, exports, "runProgram", AddonPrograms::run, &programs_);
    define(env, exports, "timeProgram", AddonPrograms::time, &programs_);
    define(env, exports, "startProgram", AddonPrograms::start, &programs_);
    define(env, exports, "cancelProgram", AddonPrograms::cancel, &programs_);
  }

 private:
  void define(napi_env env, Napi::Object exports, const char* name, napi_callback callback,
              void* data) {
    napi_value function;
    if (napi_create_function(env, name, NAPI_AUTO_LENGTH, callback, data, &function) == napi_ok) {
      exports.Set(name, function);
    }
  }

  // The arguments of a call: kernel is a position in the list, shape a Float64Array of the
  // integers, then the constants.
  struct Arguments {
    static constexpr size_t most = 2 + maxBuffers + 1;
    size_t count = most;
    napi_value values[most];
    size_t kernel = 0;
    const double* shape = nullptr;
    Engine* engine = nullptr;

    // False, with a message, where kernel or shape is not what it should be.
    bool read(napi_env env, napi_callback_info info, Message& message) {
      void* data;
      if (napi_get_cb_info(env, info, &count, values, nullptr, &data) != napi_ok) {
        return message.set("run: expected a call, but its arguments could not be read");
      }
      engine = &static_cast<Addon*>(data)->engine_;
      return readKernel(env, values[0], kernel, message) &&
             readShape(env, signatures()[kernel], values[1], shape, message);
    }
  };

  // run(kernel, shape, ...buffers, packed?) and pack(kernel, shape, ...operands, packed), whose
  // operands are those that the list marks `packs`, in its order.
  template <auto read, auto work>
  static napi_value call(napi_env env, napi_callback_info info) {
    Message message;
    Arguments given;
    Call call;
    if (!given.read(env, info, message) ||
        !read(env, signatures()[given.kernel], given, call, message)) {
      napi_throw_type_error(env, nullptr, message.text);
    } else if (!(given.engine->*work)(given.kernel, given.shape, call, message)) {
      napi_throw_range_error(env, nullptr, message.text);
    }
    return nullptr;
  }

  // packedLength(kernel, shape): floats, 0 where this shape takes its operands as they are.
  static napi_value packedLength(napi_env env, napi_callback_info info) {
    Message message;
    Arguments given;
    int64_t length = 0;
    napi_value result = nullptr;
    if (!given.read(env, info, message)) {
      napi_throw_type_error(env, nullptr, message.text);
    } else if (!given.engine->packedLength(given.kernel, given.shape, length, message)) {
      napi_throw_range_error(env, nullptr, message.text);
    } else {
      napi_create_double(env, static_cast<double>(length), &result);
    }
    return result;
  }

  static bool readKernel(napi_env env, napi_value value, size_t& kernel, Message& message) {
    const size_t count = signatures().size();
    double number;
    if (napi_get_value_double(env, value, &number) != napi_ok) {
      return message.set("run: expected the number of a kernel, but got %s", typeName(env, value));
    }
    kernel =
        number >= 0 && number < static_cast<double>(count) ? static_cast<size_t>(number) : count;
    if (kernel < count && static_cast<double>(kernel) == number) return true;
    return message.set("run: expected the number of a kernel, below %zu, but got %g", count,
                       number);
  }

  static bool readShape(napi_env env, const Signature& kernel, napi_value value,
                        const double*& shape, Message& message) {
    const size_t wanted = kernel.integerNames.size() + kernel.constantNames.size();
    Buffer buffer;
    if (!readArray(env, kernel, "shape", napi_float64_array, value, buffer, message)) return false;
    shape = static_cast<const double*>(buffer.data);
    if (static_cast<size_t>(buffer.length) == wanted) return true;
    return message.set("%s: expected shape with %zu values, but got %lld", kernel.name.c_str(),
                       wanted, static_cast<long long>(buffer.length));
  }

  static bool absent(napi_env env, napi_value value) {
    napi_valuetype type;
    if (napi_typeof(env, value, &type) != napi_ok) type = napi_undefined;
    return type == napi_undefined || type == napi_null;
  }

  static bool readBuffers(napi_env env, const Signature& kernel, const Arguments& given, Call& call,
                          Message& message) {
    const size_t wanted = kernel.buffers.size();
    const size_t most = 2 + wanted + (kernel.packs() ? 1 : 0);
    if (given.count > most) {
      return message.set("%s: expected %zu buffers, but got %zu", kernel.name.c_str(), most - 2,
                         given.count - 2);
    }
    // Arguments that were not given are undefined.
    const napi_value packed = given.values[2 + wanted];
    if (given.count == 2 + wanted + 1 && !absent(env, packed) &&
        !readArray(env, kernel, "packed", napi_float32_array, packed, call.packed, message)) {
      return false;
    }
    for (size_t i = 0; i < wanted; ++i) {
      const BufferSignature& buffer = kernel.buffers[i];
      const napi_value value = given.values[2 + i];
      const bool optional = buffer.optional || (buffer.packs && call.packed.present);
      if (optional && absent(env, value)) continue;
      const auto element = buffer.element == Element::f32 ? napi_float32_array : napi_int32_array;
      if (!readArray(env, kernel, buffer.name.c_str(), element, value, call.buffers[i], message)) {
        return false;
      }
    }
    return true;
  }

  static bool readOperands(napi_env env, const Signature& kernel, const Arguments& given,
                           Call& call, Message& message) {
    if (!kernel.packs()) {
      return message.set("%s: expected a kernel whose operands can be packed, but it has none",
                         kernel.name.c_str());
    }
    size_t next = 2;
    for (size_t i = 0; i < kernel.buffers.size(); ++i) {
      const BufferSignature& buffer = kernel.buffers[i];
      if (!buffer.packs) continue;
      const napi_value value = given.values[next++];
      if (buffer.optional && absent(env, value)) continue;
      if (!readArray(env, kernel, buffer.name.c_str(), napi_float32_array, value, call.buffers[i],
                     message)) {
        return false;
      }
    }
    return readArray(env, kernel, "packed", napi_float32_array, given.values[next], call.packed,
                     message);
  }

  // A typed array of the wanted type whose memory is there and nobody else's.
  static bool readArray(napi_env env, const Signature& kernel, const char* name,
                        napi_typedarray_type wanted, napi_value value, Buffer& buffer,
                        Message& message) {
    const auto fail = [&](const char* got) {
      return message.set("%s: expected %s as %s, but got %s", kernel.name.c_str(), name,
                         arrayName(wanted), got);
    };
    auto type = static_cast<napi_typedarray_type>(-1);
    size_t length = 0;
    napi_value memory = nullptr;
    if (napi_get_typedarray_info(env, value, &type, &length, &buffer.data, &memory, nullptr) !=
        napi_ok) {
      return fail(typeName(env, value));
    }
    if (type != wanted) return fail(arrayName(type));
    bool own = false;
    if (napi_is_arraybuffer(env, memory, &own) != napi_ok || !own) {
      return fail("one on a SharedArrayBuffer, which another thread may change meanwhile");
    }
    if (length == 0) {
      bool detached = false;
      if (napi_is_detached_arraybuffer(env, memory, &detached) != napi_ok || detached) {
        return fail("one whose ArrayBuffer is detached");
      }
    }
    if (reinterpret_cast<uintptr_t>(buffer.data) % 4 != 0) return fail("one that is not aligned");
    buffer.present = true;
    buffer.length = static_cast<int64_t>(length);
    return true;
  }

  // The list as this binary knows it: what does not agree with the list in TypeScript is too old.
  Napi::Value describe(const Napi::CallbackInfo& info) {
    Napi::Array list = Napi::Array::New(info.Env());
    for (const Signature& kernel : signatures()) {
      Napi::Object entry = Napi::Object::New(info.Env());
      entry.Set("name", kernel.name);
      entry.Set("integers", kernel.integers);
      entry.Set("constants", kernel.constants);
      entry.Set("buffers", kernel.buffersText);
      list.Set(list.Length(), entry);
    }
    return list;
  }

  Napi::Value isas(const Napi::CallbackInfo& info) {
    Napi::Array list = Napi::Array::New(info.Env());
    for (const std::string& name : engine_.isas()) list.Set(list.Length(), name);
    return list;
  }

  void selectIsa(const Napi::CallbackInfo& info) {
    const std::string name = info[0].IsString() ? info[0].As<Napi::String>().Utf8Value() : "";
    if (engine_.selectIsa(name)) return;
    std::string valid;
    for (const std::string& isa : engine_.isas()) valid += (valid.empty() ? "" : ", ") + isa;
    Napi::RangeError::New(info.Env(), "selectIsa: expected one of " + valid +
                                          ", because this machine has those, but got " +
                                          (info[0].IsString() ? "'" + name + "'" : "no string"))
        .ThrowAsJavaScriptException();
  }

  void setThreads(const Napi::CallbackInfo& info) {
    const double wanted = info[0].IsNumber() ? info[0].As<Napi::Number>().DoubleValue() : 0;
    const int threads = wanted >= 1 && wanted <= maxThreads ? static_cast<int>(wanted) : 0;
    if (threads >= 1 && threads == wanted) {
      engine_.threads = threads;
      return;
    }
    Napi::RangeError::New(info.Env(), "setThreads: expected an integer from 1 to " +
                                          std::to_string(maxThreads) + ", but got another value")
        .ThrowAsJavaScriptException();
  }

  Napi::Value info(const Napi::CallbackInfo& info) {
    Napi::Object entry = Napi::Object::New(info.Env());
    entry.Set("compiler", compiler);
    entry.Set("isa", engine_.isa());
    entry.Set("lastIsa", engine_.lastIsa());
    entry.Set("vectorWidth", engine_.vectorWidth());
    entry.Set("threads", engine_.threads);
    entry.Set("startedThreads", startedThreads());
    entry.Set("workspaceBytes", static_cast<double>(engine_.workspaceBytes()));
    return entry;
  }

  Engine engine_;
  AddonPrograms programs_;
};

NODE_API_ADDON(Addon)

}  // namespace
}  // namespace fovea

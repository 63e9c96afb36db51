// The part of a call's check that the list itself says: ranges, lengths, index bounds, overlap.
#include "check.h"

#include <cstdarg>
#include <cstdio>

namespace fovea {
namespace {

// Any buffer's length, sizes of 0 counted as 1: then every product of sizes in a kernel fits 64
// bits.
constexpr int64_t longest = INT32_MAX;

int64_t sizeOf(int field, const Call& call) {
  return field < 0 ? -field : call.shape[field].integer;
}

// Of positive sizes; -1 where it is above `longest`.
int64_t multiply(const Product& product, const Call& call) {
  int64_t length = 1, bound = 1;
  for (const int field : product.fields) {
    const int64_t size = sizeOf(field, call);
    length *= size;
    bound *= size > 0 ? size : 1;
    if (bound > longest) return -1;
  }
  return length;
}

// "2 x 3"
std::string sizes(const Product& product, const Call& call) {
  std::string text;
  for (const int field : product.fields) {
    if (!text.empty()) text += " x ";
    text += std::to_string(sizeOf(field, call));
  }
  return text;
}

// ", because batch m is 2 x 3", or "" for a single element.
std::string because(const Product& product, const Call& call) {
  if (product.fields.empty()) return "";
  return ", because " + product.text + " is " + sizes(product, call);
}

bool tooMany(const Signature& kernel, const BufferSignature& buffer, const Product& product,
             const Call& call, Message& message) {
  return message.set("%s: expected sizes of %s whose product is below 2^31, but got %s of %s",
                     kernel.name.c_str(), buffer.name.c_str(), product.text.c_str(),
                     sizes(product, call).c_str());
}

// As JavaScript writes it.
std::string number(double value) {
  if (value != value) return "NaN";
  if (value - value != 0) return value > 0 ? "Infinity" : "-Infinity";
  char text[32];
  std::snprintf(text, sizeof text, "%.15g", value);
  return text;
}

// A call does without this buffer.
bool checkAbsent(const Signature& kernel, const BufferSignature& buffer, const Call& call,
                 Message& message) {
  const int wanted = buffer.unless < 0 ? 0 : call.shape[buffer.unless].integer;
  if (buffer.optional && wanted == 0) return true;
  if (buffer.unless < 0) {
    return message.set("%s: expected %s, but got none", kernel.name.c_str(), buffer.name.c_str());
  }
  return message.set("%s: expected %s, because %s is %d, but got none", kernel.name.c_str(),
                     buffer.name.c_str(), kernel.integerNames[buffer.unless].c_str(), wanted);
}

bool checkLength(const Signature& kernel, const BufferSignature& buffer, const Buffer& given,
                 const Call& call, Message& message) {
  const int64_t length = multiply(buffer.length, call);
  if (length < 0) return tooMany(kernel, buffer, buffer.length, call, message);
  if (!given.present && buffer.packs && call.packed.present) return true;
  if (!given.present) return checkAbsent(kernel, buffer, call, message);
  if (given.length == length) return true;
  return message.set("%s: expected %s with %lld elements%s, but got %lld", kernel.name.c_str(),
                     buffer.name.c_str(), static_cast<long long>(length),
                     because(buffer.length, call).c_str(), static_cast<long long>(given.length));
}

bool checkIndices(const Signature& kernel, const BufferSignature& buffer, const Buffer& given,
                  const Call& call, Message& message) {
  const int64_t below = multiply(buffer.below, call);
  if (below < 0) return tooMany(kernel, buffer, buffer.below, call, message);
  const auto* indices = static_cast<const int32_t*>(given.data);
  const uint32_t limit = static_cast<uint32_t>(below);
  const bool hasException = buffer.except >= 0;
  const int32_t exception = hasException ? call.shape[buffer.except].integer : 0;
  const auto bad = [=](int32_t index) {
    return static_cast<uint32_t>(index) >= limit && !(hasException && index == exception);
  };
  bool found = false;  // no early exit, so that the loop becomes vector code
  for (int64_t i = 0; i < given.length; ++i) found |= bad(indices[i]);
  if (!found) return true;
  int64_t at = 0;
  while (!bad(indices[at])) ++at;
  const std::string allowed = hasException ? " or " + std::to_string(exception) : "";
  return message.set(
      "%s: expected every element of %s at or above 0 and below %lld%s%s, but got %d at %lld",
      kernel.name.c_str(), buffer.name.c_str(), static_cast<long long>(below), allowed.c_str(),
      because(buffer.below, call).c_str(), indices[at], static_cast<long long>(at));
}

// Whether two buffers may share memory: a written one only with nothing, or with exactly the memory
// of an input that the list lets it replace.
bool mayShare(const BufferSignature& written, const Buffer& a, int other, const Buffer& b) {
  return (written.inPlace >> other & 1) && a.data == b.data && a.length == b.length;
}

bool overlap(const Buffer& a, const Buffer& b) {
  const auto begin = [](const Buffer& x) { return reinterpret_cast<uintptr_t>(x.data); };
  const auto end = [&](const Buffer& x) { return begin(x) + static_cast<uintptr_t>(x.length) * 4; };
  return a.length > 0 && b.length > 0 && begin(a) < end(b) && begin(b) < end(a);
}

bool overlapError(const Signature& kernel, const char* written, const char* other,
                  Message& message) {
  return message.set(
      "%s: expected %s in other memory than %s, because it is written, but they overlap",
      kernel.name.c_str(), written, other);
}

bool checkOverlap(const Signature& kernel, const Call& call, Message& message) {
  const int count = static_cast<int>(kernel.buffers.size());
  for (int i = 0; i < count; ++i) {
    const BufferSignature& written = kernel.buffers[i];
    if (written.mode == Mode::read) continue;
    if (overlap(call.buffers[i], call.packed)) {
      return overlapError(kernel, written.name.c_str(), "packed", message);
    }
    for (int j = 0; j < count; ++j) {
      if (i == j || !overlap(call.buffers[i], call.buffers[j])) continue;
      if (mayShare(written, call.buffers[i], j, call.buffers[j])) continue;
      return overlapError(kernel, written.name.c_str(), kernel.buffers[j].name.c_str(), message);
    }
  }
  return true;
}

}  // namespace

bool Message::set(const char* format, ...) {
  va_list arguments;
  va_start(arguments, format);
  std::vsnprintf(text, sizeof text, format, arguments);
  va_end(arguments);
  return false;
}

bool checkShape(const Signature& kernel, const double* values, Call& call, Message& message) {
  const size_t integers = kernel.integerNames.size();
  for (size_t i = 0; i < integers; ++i) {
    const double value = values[i];
    const double least = kernel.signedInteger[i] ? INT32_MIN : 0;
    const bool fits = value >= least && value <= INT32_MAX;
    call.shape[i].integer = fits ? static_cast<int32_t>(value) : 0;
    if (!fits || call.shape[i].integer != value) {
      return message.set("%s: expected %s as an integer from %.0f to %d, but got %s",
                         kernel.name.c_str(), kernel.integerNames[i].c_str(), least, INT32_MAX,
                         number(value).c_str());
    }
  }
  for (size_t i = 0; i < kernel.constantNames.size(); ++i) {
    call.shape[integers + i].constant = static_cast<float>(values[integers + i]);
  }
  return true;
}

bool checkBuffers(const Signature& kernel, Rule rule, const Call& call, Message& message) {
  for (size_t i = 0; i < kernel.buffers.size(); ++i) {
    const BufferSignature& buffer = kernel.buffers[i];
    if (!checkLength(kernel, buffer, call.buffers[i], call, message)) return false;
  }
  if (!checkOverlap(kernel, call, message)) return false;
  return rule == nullptr || rule(kernel.name.c_str(), call, message);
}

bool checkNumbers(const Signature& kernel, Rule rule, const Call& call, Message& message) {
  for (size_t i = 0; i < kernel.buffers.size(); ++i) {
    const BufferSignature& buffer = kernel.buffers[i];
    if (buffer.bounded && !checkIndices(kernel, buffer, call.buffers[i], call, message))
      return false;
  }
  return rule == nullptr || rule(kernel.name.c_str(), call, message);
}

bool checkPacking(const Signature& kernel, Rule rule, const Call& call, Message& message) {
  for (size_t i = 0; i < kernel.buffers.size(); ++i) {
    const BufferSignature& buffer = kernel.buffers[i];
    const Buffer& given = call.buffers[i];
    if (multiply(buffer.length, call) < 0) {
      return tooMany(kernel, buffer, buffer.length, call, message);
    }
    if (!given.present) {
      const bool wanted = buffer.packs && call.packed.present;
      if (wanted && !checkAbsent(kernel, buffer, call, message)) return false;
      continue;
    }
    if (!checkLength(kernel, buffer, given, call, message)) return false;
    if (overlap(given, call.packed)) {
      return overlapError(kernel, "packed", buffer.name.c_str(), message);
    }
  }
  return rule == nullptr || rule(kernel.name.c_str(), call, message);
}

bool checkPacked(const Signature& kernel, int64_t length, const Call& call, Message& message) {
  if (call.packed.length == length && length > 0) return true;
  if (length == 0) {
    return message.set("%s: expected no packed operand, because this shape has none, but got one",
                       kernel.name.c_str());
  }
  return message.set(
      "%s: expected packed with %lld elements, because this shape has so many, "
      "but got %lld",
      kernel.name.c_str(), static_cast<long long>(length),
      static_cast<long long>(call.packed.length));
}

}  // namespace fovea

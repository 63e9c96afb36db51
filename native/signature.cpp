// Parses the text of the list: "(batch, m)" for a shape, "x?: read f32[batch m] below m; …" for
// buffers. The text is ours, so the parser only splits; a test compares the result with the list in
// TypeScript.
#include "signature.h"

#include <algorithm>

#include "kernels/list.h"

namespace fovea {
namespace {

std::vector<std::string> words(const std::string& text) {
  std::vector<std::string> found;
  std::string word;
  for (const char c : text + " ") {
    const bool part = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
    if (part) {
      word += c;
    } else if (!word.empty()) {
      found.push_back(word);
      word.clear();
    }
  }
  return found;
}

std::vector<std::string> split(const std::string& text, char separator) {
  std::vector<std::string> parts;
  size_t begin = 0;
  for (;;) {
    const size_t end = text.find(separator, begin);
    parts.push_back(text.substr(begin, end - begin));
    if (end == std::string::npos) return parts;
    begin = end + 1;
  }
}

int position(const std::vector<std::string>& names, const std::string& name) {
  return static_cast<int>(std::find(names.begin(), names.end(), name) - names.begin());
}

void multiply(Product& product, const std::string& field, const Signature& kernel) {
  const bool number = field[0] >= '0' && field[0] <= '9';
  product.fields.push_back(number ? -std::stoi(field) : position(kernel.integerNames, field));
  product.text += product.text.empty() ? field : " " + field;
}

// name[?]: mode type[length] [packs] [below fields] [except field] [over buffers] [unless field]
BufferSignature parseBuffer(const std::string& text, const Signature& kernel,
                            const std::vector<std::string>& names) {
  BufferSignature buffer;
  const size_t colon = text.find(':'), open = text.find('['), close = text.find(']');
  buffer.name = words(text.substr(0, colon))[0];
  buffer.optional = text[colon - 1] == '?';
  const std::vector<std::string> kind = words(text.substr(colon, open - colon));
  buffer.mode = kind[0] == "read" ? Mode::read : kind[0] == "write" ? Mode::write : Mode::update;
  buffer.element = kind[1] == "f32" ? Element::f32 : Element::i32;
  for (const std::string& field : words(text.substr(open, close - open))) {
    multiply(buffer.length, field, kernel);
  }
  std::string clause;
  for (const std::string& word : words(text.substr(close))) {
    if (word == "packs") {
      buffer.packs = true;
    } else if (word == "below" || word == "except" || word == "over" || word == "unless") {
      clause = word;
      buffer.bounded = buffer.bounded || word == "below";
    } else if (clause == "below") {
      multiply(buffer.below, word, kernel);
    } else if (clause == "except") {
      buffer.except = position(kernel.integerNames, word);
    } else if (clause == "unless") {
      buffer.unless = position(kernel.integerNames, word);
    } else {
      buffer.inPlace |= 1u << position(names, word);
    }
  }
  return buffer;
}

// Counts may not be negative. What may: a label to ignore, and the strides of a copy.
bool mayBeNegative(const std::string& kernel, const std::string& field) {
  return field == "ignoreIndex" || (kernel == "copy" && (field[0] == 'x' || field[0] == 'y'));
}

Signature parse(const char* name, const char* integers, const char* constants,
                const char* buffers) {
  Signature kernel{name, integers, constants, buffers, words(integers), words(constants), {}, {}};
  for (const std::string& field : kernel.integerNames) {
    kernel.signedInteger.push_back(mayBeNegative(name, field));
  }
  std::vector<std::string> names;
  for (const std::string& text : split(buffers, ';')) names.push_back(words(text)[0]);
  for (const std::string& text : split(buffers, ';')) {
    kernel.buffers.push_back(parseBuffer(text, kernel, names));
  }
  return kernel;
}

}  // namespace

bool Signature::packs() const {
  return std::any_of(buffers.begin(), buffers.end(),
                     [](const BufferSignature& buffer) { return buffer.packs; });
}

const std::vector<Signature>& signatures() {
  static const auto* all = new std::vector<Signature>{
#define FOVEA_SIGNATURE(name, Shape, buffers) \
  parse(#name, Shape::integers, Shape::constants, buffers),
      FOVEA_KERNELS(FOVEA_SIGNATURE)
#undef FOVEA_SIGNATURE
  };
  return *all;
}

}  // namespace fovea

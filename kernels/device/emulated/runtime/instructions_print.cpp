#include "instructions_print.h"

#include <cstdio>
#include <cstring>

#include "checked.h"

namespace emu {
namespace {

constexpr size_t kLongest = 1024;  // of a text; what is longer is cut

struct Text {
  char bytes[kLongest + 1];
  size_t length = 0;
  void add(char c) {
    if (length < kLongest) bytes[length++] = c;
  }
  void add(const char* text) {
    while (*text) add(*text++);
  }
};

template <class T>
T read(Address address, const Site& site) {
  T value;
  std::memcpy(&value, access_as_launched(address, sizeof value, Kind::load, site), sizeof value);
  return value;
}

void read_string(Text& text, Address address, const Site& site) {
  while (const char c = read<char>(address++, site)) text.add(c);
  text.bytes[text.length] = 0;
}

// The values behind a format, in their order.
struct Values {
  Address next;
  const Site& site;
  s32 count = 0;

  template <class T>
  T take() {
    next = (next + sizeof(T) - 1) & ~static_cast<Address>(sizeof(T) - 1);
    const T value = read<T>(next, site);
    next += sizeof(T);
    count++;
    return value;
  }
};

// One conversion, from behind its % to its letter; returns what follows.
const char* convert(const char* at, Values& values, Text& out) {
  char flags[32] = "%";
  size_t length = 1;
  bool is_long = false;
  for (; *at && !std::strchr("diouxXcsfFeEgGaAp%", *at); at++) {
    is_long |= *at == 'l' || *at == 'z' || *at == 'j' || *at == 't';
    if (*at == '*')
      length += static_cast<size_t>(std::snprintf(flags + length, 12, "%d", values.take<s32>()));
    else if (!std::strchr("hlzjt", *at) && length < 12)
      flags[length++] = *at;
  }
  const char letter = *at;
  const auto format = [&](const char* modifier) {
    std::snprintf(flags + length, sizeof flags - length, "%s%c", modifier, letter);
    return flags;
  };
  char piece[kLongest + 1];
  if (letter == '%')
    out.add('%');
  else if (letter == 's') {
    Text text;
    read_string(text, values.take<Address>(), values.site);
    std::snprintf(piece, sizeof piece, format(""), text.bytes);
    out.add(piece);
  } else if (letter) {
    if (letter == 'p')
      std::snprintf(piece, sizeof piece, "0x%llx",
                    static_cast<unsigned long long>(values.take<u64>()));
    else if (std::strchr("fFeEgGaA", letter))
      std::snprintf(piece, sizeof piece, format(""), values.take<f64>());
    else if (is_long)
      std::snprintf(piece, sizeof piece, format("ll"), values.take<s64>());
    else
      std::snprintf(piece, sizeof piece, format(""), values.take<s32>());
    out.add(piece);
  }
  return letter ? at + 1 : at;
}

}  // namespace

s32 print_formatted(Address format, Address arguments, const Site& site) {
  Text pattern, out;
  read_string(pattern, format, site);
  Values values{arguments, site};
  for (const char* at = pattern.bytes; *at;) {
    if (*at == '%')
      at = convert(at + 1, values, out);
    else
      out.add(*at++);
  }
  out.bytes[out.length] = 0;
  print(out.bytes);
  return values.count;
}

void assertion_failed(Address condition, Address file, u32 line, const Site& site) {
  Text what, where;
  read_string(what, condition, site);
  read_string(where, file, site);
  die(Fault::fault, site, "assertion failed: %s (%s:%u)", what.bytes, where.bytes, line);
}

}  // namespace emu

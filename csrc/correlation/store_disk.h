// Files of a store: whole reads and writes, made durable when told to, readable by their owner
// alone. What the system refuses raises Code::store with its reason and what to do.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/buffer.h"

namespace petcore::correlation {

class File {
 public:
  File() = default;
  ~File();
  File(File&& other) noexcept;
  File& operator=(File&& other) noexcept;

  // create makes a new file of mode 0600; one that stands there is replaced.
  static File create(const std::string& path);
  static File open(const std::string& path, bool for_writing);

  void write(std::uint64_t offset, ConstBytes bytes);
  // write_through is durable when it returns, whatever else of the file is not.
  void write_through(std::uint64_t offset, ConstBytes bytes);
  // read fills out, or is false where the file ends before.
  bool read(std::uint64_t offset, Bytes out) const;
  std::uint64_t size() const;
  // sync returns once everything written is on the disk, as far as the disk tells the truth.
  void sync();
  const std::string& path() const { return path_; }

 private:
  File(std::string path, int descriptor) : path_(std::move(path)), descriptor_(descriptor) {}
  std::string path_;
  int descriptor_ = -1;
};

bool exists(const std::string& path);
// rename_file and remove_file are durable when they return; removing what is not there is no error.
void rename_file(const std::string& from, const std::string& to);
void remove_file(const std::string& path);
std::vector<std::string> list_directory(const std::string& path);
// make_directory makes it, of mode 0700, with the directories above it.
void make_directory(const std::string& path);

// Lock keeps every other process out of a directory until it is destroyed, however the process
// ends. Raises Code::locked, naming the process that holds it.
class Lock {
 public:
  explicit Lock(const std::string& directory);
  ~Lock();
  Lock(const Lock&) = delete;
  Lock& operator=(const Lock&) = delete;

 private:
  int descriptor_;
};
// lock_holder is the process that has a directory locked, or 0.
std::int64_t lock_holder(const std::string& directory);

}  // namespace petcore::correlation

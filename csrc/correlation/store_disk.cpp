#include "correlation/store_disk.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <filesystem>

#include "base/error.h"

namespace petcore::correlation {
namespace {

constexpr const char* kLockName = "/lock";

std::string remedy(int number) {
  switch (number) {
    case ENOSPC:
    case EDQUOT:
    case EFBIG:
      return "; the disk is full: free some space, or make less stock";
    case EACCES:
    case EPERM:
    case EROFS:
      return "; the store's directory must belong to the user who runs petcore";
    case ENOENT:
      return "; 'petcore prepare' makes a store";
    default:
      return "; check the disk";
  }
}

[[noreturn]] void refuse(const std::string& path, const char* what) {
  const int number = errno;
  throw Error(Code::store,
              path + ": cannot be " + what + " (" + std::strerror(number) + ")" + remedy(number));
}

int open_file(const std::string& path, int flags, const char* what) {
  int descriptor;
  do descriptor = ::open(path.c_str(), flags | O_CLOEXEC | O_NOFOLLOW, 0600);
  while (descriptor < 0 && errno == EINTR);
  if (descriptor < 0) refuse(path, what);
  return descriptor;
}

std::string directory_of(const std::string& path) { return path.substr(0, path.rfind('/')); }

struct flock whole_file(short type) {
  struct flock whole{};
  whole.l_type = type;
  whole.l_whence = SEEK_SET;
  return whole;
}

// A name is durable once its directory is.
void sync_directory(const std::string& path) {
  const int descriptor = open_file(path, O_RDONLY | O_DIRECTORY, "opened");
  const int failed = ::fsync(descriptor);
  ::close(descriptor);
  if (failed != 0) refuse(path, "made durable");
}

}  // namespace

File::~File() {
  if (descriptor_ >= 0) ::close(descriptor_);
}

File::File(File&& other) noexcept
    : path_(std::move(other.path_)), descriptor_(std::exchange(other.descriptor_, -1)) {}

File& File::operator=(File&& other) noexcept {
  std::swap(path_, other.path_);
  std::swap(descriptor_, other.descriptor_);
  return *this;
}

File File::create(const std::string& path) {
  if (::unlink(path.c_str()) != 0 && errno != ENOENT) refuse(path, "replaced");
  return {path, open_file(path, O_RDWR | O_CREAT | O_EXCL, "created")};
}

File File::open(const std::string& path, bool for_writing) {
  return {path, open_file(path, for_writing ? O_RDWR : O_RDONLY, "opened")};
}

void File::write(std::uint64_t offset, ConstBytes bytes) {
  while (!bytes.empty()) {
    const ssize_t n = ::pwrite(descriptor_, bytes.data(), bytes.size(), static_cast<off_t>(offset));
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) refuse(path_, "written");
    offset += static_cast<std::uint64_t>(n);
    bytes = bytes.subspan(static_cast<std::size_t>(n));
  }
}

void File::write_through(std::uint64_t offset, ConstBytes bytes) {
  const iovec all{const_cast<std::byte*>(bytes.data()), bytes.size()};
  if (::pwritev2(descriptor_, &all, 1, static_cast<off_t>(offset), RWF_DSYNC) ==
      static_cast<ssize_t>(bytes.size()))
    return;
  write(offset, bytes);  // a file system that knows no such writes
  sync();
}

bool File::read(std::uint64_t offset, Bytes out) const {
  while (!out.empty()) {
    const ssize_t n = ::pread(descriptor_, out.data(), out.size(), static_cast<off_t>(offset));
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) refuse(path_, "read");
    if (n == 0) return false;
    offset += static_cast<std::uint64_t>(n);
    out = out.subspan(static_cast<std::size_t>(n));
  }
  return true;
}

std::uint64_t File::size() const {
  struct stat about;
  if (::fstat(descriptor_, &about) != 0) refuse(path_, "examined");
  return static_cast<std::uint64_t>(about.st_size);
}

void File::sync() {
  if (::fdatasync(descriptor_) != 0) refuse(path_, "made durable");
}

bool exists(const std::string& path) {
  struct stat about;
  return ::lstat(path.c_str(), &about) == 0;
}

void rename_file(const std::string& from, const std::string& to) {
  if (::rename(from.c_str(), to.c_str()) != 0) refuse(from, "renamed");
  sync_directory(directory_of(to));
}

void remove_file(const std::string& path) {
  if (::unlink(path.c_str()) != 0 && errno != ENOENT) refuse(path, "removed");
  sync_directory(directory_of(path));
}

std::vector<std::string> list_directory(const std::string& path) {
  std::vector<std::string> names;
  std::error_code failed;
  for (std::filesystem::directory_iterator entry(path, failed), end; !failed && entry != end;
       entry.increment(failed))
    names.push_back(entry->path().filename().string());
  if (failed) {
    errno = failed.value();
    refuse(path, "listed");
  }
  return names;
}

void make_directory(const std::string& path) {
  if (exists(path)) return;
  const std::string above = directory_of(path);
  if (above.size() < path.size() && !above.empty()) make_directory(above);
  if (::mkdir(path.c_str(), 0700) != 0 && errno != EEXIST) refuse(path, "made");
  if (!above.empty()) sync_directory(above);
}

Lock::Lock(const std::string& directory)
    : descriptor_(open_file(directory + kLockName, O_RDWR | O_CREAT, "opened")) {
  // A lock of the open file: the system drops it with the last descriptor, however that is closed.
  struct flock whole = whole_file(F_WRLCK);
  if (::fcntl(descriptor_, F_OFD_SETLK, &whole) != 0) {
    ::close(descriptor_);
    const std::int64_t holder = lock_holder(directory);
    throw Error(Code::locked, directory + ": the store is in use by process " +
                                  (holder > 0 ? std::to_string(holder) : "?") +
                                  "; one process at a time may take from it: give each its own "
                                  "store, or end that process");
  }
  const std::string text = std::to_string(::getpid()) + "\n";
  const bool written =
      ::ftruncate(descriptor_, 0) == 0 &&
      ::pwrite(descriptor_, text.data(), text.size(), 0) == static_cast<ssize_t>(text.size());
  static_cast<void>(written);  // who holds it is a courtesy: a full disk is no reason to refuse
}

Lock::~Lock() { ::close(descriptor_); }

std::int64_t lock_holder(const std::string& directory) {
  const int descriptor = ::open((directory + kLockName).c_str(), O_RDONLY | O_CLOEXEC);
  if (descriptor < 0) return 0;
  std::array<char, 24> text{};
  struct flock whole = whole_file(F_WRLCK);
  const bool held = ::fcntl(descriptor, F_OFD_GETLK, &whole) == 0 && whole.l_type != F_UNLCK;
  const ssize_t n = held ? ::pread(descriptor, text.data(), text.size() - 1, 0) : 0;
  ::close(descriptor);
  return n > 0 ? std::strtoll(text.data(), nullptr, 10) : 0;
}

}  // namespace petcore::correlation

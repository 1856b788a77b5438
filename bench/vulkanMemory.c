/*
 * A Vulkan driver in front of another: passes everything on and counts the memory that is taken of the device. For memory.mjs.
 *   VULKAN_DRIVER  the library of the other driver
 *   VULKAN_PEAK    the file that the peak, in bytes, is written to at the end
 * The interface: https://github.com/KhronosGroup/Vulkan-Loader/blob/main/docs/LoaderDriverInterface.md
 */
#include <dlfcn.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef void (*Function)(void);
typedef Function (*Lookup)(void *handle, const char *name);

/* VkMemoryAllocateInfo */
typedef struct {
  int32_t type;
  const void *next;
  uint64_t size;
  uint32_t memoryType;
} AllocateInfo;

static int32_t (*allocate)(void *device, const AllocateInfo *info, const void *allocator, uint64_t *memory);
static void (*release)(void *device, uint64_t memory, const void *allocator);
static Lookup ofDevice;

enum { most = 1 << 16 };
static struct { uint64_t memory, size; } held[most];
static int count;
static uint64_t bytes, peak;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

static int32_t countedAllocate(void *device, const AllocateInfo *info, const void *allocator, uint64_t *memory) {
  int32_t result = allocate(device, info, allocator, memory);
  if (result != 0) return result;
  pthread_mutex_lock(&lock);
  if (count == most) abort();
  held[count].memory = *memory;
  held[count++].size = info->size;
  bytes += info->size;
  if (bytes > peak) peak = bytes;
  pthread_mutex_unlock(&lock);
  return result;
}

static void countedRelease(void *device, uint64_t memory, const void *allocator) {
  pthread_mutex_lock(&lock);
  for (int i = 0; i < count; i++) {
    if (held[i].memory != memory) continue;
    bytes -= held[i].size;
    held[i] = held[--count];
    break;
  }
  pthread_mutex_unlock(&lock);
  release(device, memory, allocator);
}

static Function counted(const char *name, Function found);

static Function lookUpOfDevice(void *device, const char *name) { return counted(name, ofDevice(device, name)); }

static Function counted(const char *name, Function found) {
  if (!found) return found;
  if (strcmp(name, "vkAllocateMemory") == 0) return allocate = (void *)found, (Function)countedAllocate;
  if (strcmp(name, "vkFreeMemory") == 0) return release = (void *)found, (Function)countedRelease;
  if (strcmp(name, "vkGetDeviceProcAddr") == 0) return ofDevice = (void *)found, (Function)lookUpOfDevice;
  return found;
}

static void *driver(const char *name) {
  static void *library;
  if (!library) library = dlopen(getenv("VULKAN_DRIVER"), RTLD_NOW | RTLD_LOCAL);
  if (!library) fprintf(stderr, "%s\n", dlerror()), abort();
  return dlsym(library, name);
}

Function vk_icdGetInstanceProcAddr(void *instance, const char *name) {
  return counted(name, ((Lookup)driver("vk_icdGetInstanceProcAddr"))(instance, name));
}

Function vk_icdGetPhysicalDeviceProcAddr(void *instance, const char *name) {
  Lookup lookUp = driver("vk_icdGetPhysicalDeviceProcAddr");
  return lookUp ? lookUp(instance, name) : NULL;
}

int32_t vk_icdNegotiateLoaderICDInterfaceVersion(uint32_t *version) {
  int32_t (*negotiate)(uint32_t *) = driver("vk_icdNegotiateLoaderICDInterfaceVersion");
  return negotiate ? negotiate(version) : 0;
}

__attribute__((destructor)) static void writePeak(void) {
  FILE *file = fopen(getenv("VULKAN_PEAK"), "w");
  if (!file) return;
  fprintf(file, "%llu\n", (unsigned long long)peak);
  fclose(file);
}

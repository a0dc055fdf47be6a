#!/usr/bin/env bash
# Builds @tensorflow/tfjs-node in a directory of its own, with libtensorflow taken from TensorFlow's Python wheel.
#
#   test/oracle/tfjs_node_from_wheel.sh DIRECTORY
#
# For machines that reach the npm and PyPI registries but not the host from which tfjs-node's install script
# downloads libtensorflow. Needs node, npm, python3 with pip, a C and a C++ compiler, make and nm, on x86-64 Linux. PYTHON
# names another interpreter. docs/engines.md tells what came of it.
#
# The wheel has no libtensorflow.so; its Python extension module holds the same C API. That module also wants some 190
# symbols of a Python interpreter, all at once when it is loaded. So libtensorflow.so is made here: it depends on the
# wheel's two libraries and defines those symbols, data as zeros and functions as an abort that names the function. The
# C API calls none of them.
set -euo pipefail

tfjs_version=4.22.0
# The TensorFlow release that tfjs-node 4.22 is written for (scripts/deps-constants.js in its package), and a
# Python for which that release has a wheel; the interpreter that runs pip may be another.
tensorflow_version=2.9.1
wheel_python=3.10

if [ $# -ne 1 ]; then
  echo "usage: $0 DIRECTORY" >&2
  exit 2
fi
python=${PYTHON:-python3}
mkdir -p "$1"
root=$(cd "$1" && pwd)

echo "1. TensorFlow's wheel"
"$python" -m pip download --quiet --no-deps --only-binary=:all: --python-version "$wheel_python" \
  --dest "$root/wheel" "tensorflow-cpu==$tensorflow_version"
"$python" -m zipfile -e "$root/wheel/"tensorflow_cpu-*.whl "$root/tensorflow-wheel"
tensorflow=$root/tensorflow-wheel/tensorflow

echo "2. The npm package, without its install script"
mkdir -p "$root/app"
cd "$root/app"
[ -f package.json ] || npm init --yes >/dev/null
npm install --ignore-scripts --no-audit --no-fund "@tensorflow/tfjs-node@$tfjs_version"
package=$root/app/node_modules/@tensorflow/tfjs-node

echo "3. The libraries where the package looks for them"
libraries=$package/deps/lib
mkdir -p "$libraries"
ln -sfn "$tensorflow/include" "$package/deps/include"
ln -sf "$tensorflow/libtensorflow_framework.so.2" "$libraries/libtensorflow_framework.so.2"
ln -sf libtensorflow_framework.so.2 "$libraries/libtensorflow_framework.so"
ln -sf "$tensorflow/python/_pywrap_tensorflow_internal.so" "$libraries/_pywrap_tensorflow_internal.so"

source=$root/libtensorflow.c
{
  echo '#include <stdio.h>'
  echo '#include <stdlib.h>'
  nm -D --undefined-only "$libraries/_pywrap_tensorflow_internal.so" | awk '{ print $2 }' | grep -E '^_?Py' |
    while read -r symbol; do
      case $symbol in
        PyExc_* | *_Type | _Py_*Struct) echo "char $symbol[1024] __attribute__((aligned(16)));" ;;
        Py_IsInitialized) echo "int $symbol(void) { return 0; }" ;;
        *) echo "void $symbol(void) { fputs(\"libtensorflow called $symbol\", stderr); abort(); }" ;;
      esac
    done
} >"$source"
cc -w -shared -fPIC -o "$libraries/libtensorflow.so.2" "$source" -L"$libraries" \
  -Wl,-soname,libtensorflow.so.2 -Wl,--no-as-needed -l:_pywrap_tensorflow_internal.so \
  -l:libtensorflow_framework.so.2 -Wl,-rpath,'$ORIGIN'
ln -sf libtensorflow.so.2 "$libraries/libtensorflow.so"

echo "4. The package's own binding, from its unchanged sources"
cd "$package"
prefix=$(node -p 'path.dirname(path.dirname(process.execPath))')
headers=()
[ -f "$prefix/include/node/node_api.h" ] && headers=("--nodedir=$prefix")
# The addon's symbols come from a library behind libtensorflow.so, so a linker that drops what it thinks is not needed
# would drop libtensorflow.so itself.
LDFLAGS="-Wl,--no-as-needed" npx node-pre-gyp install --build-from-source "${headers[@]}"

echo "5. A product, to see that it runs"
cd "$root/app"
TF_CPP_MIN_LOG_LEVEL=2 node -e '
const tf = require("@tensorflow/tfjs-node");
const a = tf.tensor2d([[1, 2], [3, 4]]);
console.log(`libtensorflow ${tf.backend().binding.TF_Version}:`, JSON.stringify(tf.matMul(a, a, true, false).arraySync()));'
echo "To use it: ln -s '$package' node_modules/@tensorflow/tfjs-node"

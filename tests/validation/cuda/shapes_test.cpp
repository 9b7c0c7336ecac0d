#include "validation/cuda/shapes.hpp"

#include <catch2/catch.hpp>
#include <filesystem>
#include <fstream>
#include <set>

#include "core/diagnostics.hpp"

using namespace tilewright;
using namespace tilewright::cuda;

namespace {

const std::string open_tables = TILEWRIGHT_SOURCE_DIR "/validation/measured/gpu/";

ShapeList read_text(const std::string& text, std::string_view table) {
  namespace fs = std::filesystem;
  std::string pattern = (fs::temp_directory_path() / "tilewright-shapes-XXXXXX").string();
  const fs::path folder = mkdtemp(pattern.data());
  struct Gone {
    const fs::path& folder;
    ~Gone() { fs::remove_all(folder); }
  } const gone{folder};
  std::ofstream(folder / "s.csv") << text;
  return read_shapes((folder / "s.csv").string(), table);
}

std::string refusal(const std::string& text, std::string_view table) {
  try {
    read_text(text, table);
  } catch (const InputError& error) { return error.what(); }
  return "";
}

bool says(const std::string& text, const std::string& part) {
  INFO(text);
  return text.find(part) != std::string::npos;
}

}  // namespace

TEST_CASE("the built-in shapes are distinct, fit 24 GB and cover every number format, phase and operator") {
  for (const std::string table : {"gemm", "conv", "vector", "attention"}) {
    const std::vector<Shape> shapes = default_shapes(table);
    REQUIRE(std::set<Shape>(shapes.begin(), shapes.end()).size() == shapes.size());
    for (const Shape& shape : shapes) {
      INFO(shape.text());
      REQUIRE(bytes_of(table, shape) < 20e9);
      REQUIRE(operations_of(table, shape) > 0);
    }
  }
  const auto values = [](std::string_view table, const std::string& column) {
    std::set<std::string> all;
    for (const Shape& shape : default_shapes(table)) all.insert(shape.word(column));
    return all;
  };
  REQUIRE(values("gemm", "dtype") == std::set<std::string>{"fp32", "tf32", "bf16", "fp16", "fp8", "int8"});
  REQUIRE(values("gemm", "op") == std::set<std::string>{"linear", "bmm"});
  REQUIRE(values("conv", "phase") == std::set<std::string>{"fwd", "bwd_data", "bwd_filter"});
  REQUIRE(values("vector", "op") == std::set<std::string>{"add", "relu", "gelu", "softmax", "layernorm"});
  REQUIRE(values("attention", "phase") == std::set<std::string>{"prefill", "decode"});
}

TEST_CASE("the open tables serve as lists of shapes") {
  for (const std::string table : {"gemm", "conv", "vector", "attention"}) {
    INFO(table);
    const ShapeList list = read_shapes(open_tables + table + ".csv", table);
    REQUIRE(list.shapes.size() > 100);
    REQUIRE(std::set<Shape>(list.shapes.begin(), list.shapes.end()).size() == list.shapes.size());
  }
  REQUIRE(read_shapes(open_tables + "gemm.csv", "gemm").skipped > 0);  // w4a16 and others
}

TEST_CASE("convolutions of 16 bits lie channels last where the list does not say how they lie") {
  const std::string plain = "dtype,phase,n,c,h,w,k,r,s,pad_h,pad_w,stride_h,stride_w,groups\n",
                    extents = ",fwd,1,4,5,5,2,3,3,0,0,1,1,1\n";
  const ShapeList list =
      read_text(plain + "fp32" + extents + "tf32" + extents + "bf16" + extents + "fp16" + extents, "conv");
  std::vector<std::string> layouts;
  for (const Shape& shape : list.shapes) layouts.push_back(shape.word("layout"));
  REQUIRE(layouts == std::vector<std::string>{"NCHW", "NCHW", "NHWC", "NHWC"});
  const ShapeList placed = read_text(
      "dtype,phase,layout,n,c,h,w,k,r,s,pad_h,pad_w,stride_h,stride_w,groups\nfp16,fwd,NCHW,1,4,5,5,2,3,3,0,0,1,1,1\n",
      "conv");
  REQUIRE(placed.shapes.at(0).word("layout") == "NCHW");
  for (const Shape& shape : default_shapes("conv"))
    REQUIRE(shape.word("layout") == (element_size(shape.word("dtype")) == 2 ? "NHWC" : "NCHW"));
}

TEST_CASE("bytes and operations of a shape are those of its operands") {
  const auto only = [](const std::string& text, std::string_view table) { return read_text(text, table).shapes.at(0); };
  const Shape product = only("dtype,op,layout,epilogue,batch,m,n,k\nfp8,linear,TN,none,1,2,3,4\n", "gemm");
  REQUIRE(bytes_of("gemm", product) == 2 * 4 + 4 * 3 + 2 * (2 * 3));  // bf16 results
  REQUIRE(operations_of("gemm", product) == 2 * 2 * 3 * 4);
  // 1 x 4 x 5 x 5 with 2 filters of 3 x 3 over 2 channels each, stride 2, no padding: 2 x 2 x 2 results
  const Shape conv = only(
      "dtype,phase,n,c,h,w,k,r,s,pad_h,pad_w,stride_h,stride_w,groups\nfp32,fwd,1,4,5,5,2,3,3,0,0,2,2,2\n", "conv");
  REQUIRE(bytes_of("conv", conv) == 4 * (100 + 2 * 2 * 9 + 8));
  REQUIRE(operations_of("conv", conv) == 2 * 8 * 2 * 9);
  const Shape sum = only("dtype,op,rows,cols,n_inputs\nfp16,add,3,5,2\n", "vector");
  REQUIRE(bytes_of("vector", sum) == 2 * 15 * 3);
  const Shape decode =
      only("dtype,phase,batch,q_len,kv_len,heads,kv_heads,head_dim,causal\nbf16,decode,1,1,10,4,2,8,1\n", "attention");
  REQUIRE(bytes_of("attention", decode) == 2 * 8 * 2 * (4 + 10 * 2));
  REQUIRE(operations_of("attention", decode) == 4 * 4 * 8 * 10);
  REQUIRE(element_size("tf32") == 4);
}

TEST_CASE("a row of a shape file that is no operator is refused with its place") {
  REQUIRE(says(refusal("dtype,op\nfp32,linear\n", "gemm"), "unknown column 'layout'"));
  const std::string gemm = "dtype,op,layout,epilogue,batch,m,n,k\n";
  REQUIRE(says(refusal(gemm + "fp33,linear,TN,none,1,2,3,4\n", "gemm"), "s.csv:2: dtype: unknown word 'fp33'"));
  REQUIRE(says(refusal(gemm + "fp32,linear,TN,none,1,0,3,4\n", "gemm"), "s.csv:2: m: '0'"));
  REQUIRE(says(refusal(gemm + "fp32,linear,TN,none,2,2,3,4\n", "gemm"), "batch 1"));
  const std::string conv = "dtype,phase,n,c,h,w,k,r,s,pad_h,pad_w,stride_h,stride_w,groups\n";
  REQUIRE(says(refusal(conv + "fp32,fwd,1,4,5,5,2,7,3,0,0,1,1,1\n", "conv"), "higher than"));
  REQUIRE(says(refusal(conv + "fp32,fwd,1,4,5,5,2,3,7,0,0,1,1,1\n", "conv"), "wider than"));
  REQUIRE(says(refusal(conv + "fp32,fwd,1,4,5,5,2,3,3,0,0,1,1,3\n", "conv"), "multiples of the groups"));
  REQUIRE(says(refusal("dtype,op,rows,cols,n_inputs\nfp16,add,3,5,1\n", "vector"), "two inputs"));
  const std::string placed = "dtype,phase,layout,n,c,h,w,k,r,s,pad_h,pad_w,stride_h,stride_w,groups\n";
  REQUIRE(says(refusal(placed + "fp32,fwd,NWHC,1,4,5,5,2,3,3,0,0,1,1,1\n", "conv"),
               "s.csv:2: layout: unknown word 'NWHC'"));
  const std::string attention = "dtype,phase,batch,q_len,kv_len,heads,kv_heads,head_dim,causal\n";
  REQUIRE(says(refusal(attention + "bf16,decode,1,2,10,4,2,8,1\n", "attention"), "one query"));
  REQUIRE(says(refusal(attention + "bf16,prefill,1,10,10,4,3,8,1\n", "attention"), "multiple of kv_heads"));
}

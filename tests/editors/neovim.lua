-- What the tests need beside the documented configuration: a wire log, what the server said, and a menu that is
-- answered. Keys come from outside, as a user's do.
local seen = { messages = {}, progress = {}, titles = {}, status = "" }
drive = { pick = "" }

vim.lsp.set_log_level("trace")
vim.opt.swapfile = false
vim.opt.more = false

local function listen(method, note)
  local stock = vim.lsp.handlers[method]
  vim.lsp.handlers[method] = function(error, params, context, config)
    note(params)
    if stock and method ~= "window/showMessage" then return stock(error, params, context, config) end
  end
end
listen("window/showMessage", function(params) table.insert(seen.messages, params.message) end)
listen("$/progress", function(params) table.insert(seen.progress, params.value.kind) end)
listen("sidelight/status", function(params) seen.status = params.state end)

vim.ui.select = function(items, _, choose)
  seen.titles = {}
  for index, item in ipairs(items) do
    seen.titles[index] = item[2].title
  end
  local found
  for index, title in ipairs(seen.titles) do
    if title == drive.pick then found = index end
    if not found and vim.startswith(title, drive.pick .. ":") then found = index end
  end
  choose(items[found], found)
end

function drive.state()
  seen.hints = {}
  for _, found in ipairs(vim.diagnostic.get(0, { severity = vim.diagnostic.severity.HINT })) do
    if found.source == "sidelight" then table.insert(seen.hints, found.message) end
  end
  local lines = vim.api.nvim_buf_get_lines(0, 0, -1, false)
  local end_of_file = vim.bo.endofline and "\n" or ""
  seen.buffer = table.concat(lines, "\n") .. end_of_file
  seen.mode = vim.fn.mode()
  return vim.fn.json_encode(seen)
end

-- Drives Neovim as a user does: opens FILE, asks for code actions at LINE, chooses the one whose title holds ACTION,
-- waits until SIDELIGHT has nothing more to say, and writes what it saw as JSON to OUT.
local report = { messages = {}, progress = {}, titles = {} }
local chosen, ended = false, false

vim.lsp.handlers["window/showMessage"] = function(_, params) table.insert(report.messages, params.message) end
vim.lsp.handlers["$/progress"] = function(_, params)
  table.insert(report.progress, params.value.kind)
  ended = ended or params.value.kind == "end"
end
vim.ui.select = function(items, _, choose)
  local pick
  for index, item in ipairs(items) do
    table.insert(report.titles, item[2].title)
    if not pick and item[2].title:find(os.getenv("ACTION"), 1, true) then pick = index end
  end
  chosen = true
  choose(items[pick], pick)
end

local ok, failure = xpcall(function()
  vim.cmd("edit " .. vim.fn.fnameescape(os.getenv("FILE")))
  local buffer = vim.api.nvim_get_current_buf()
  vim.bo[buffer].filetype = "python"
  local command = { os.getenv("PYTHON"), "-I", os.getenv("SERVER"), "lsp" }
  local id = vim.lsp.start_client({ name = "sidelight", cmd = command, root_dir = vim.fn.getcwd() })
  vim.lsp.buf_attach_client(buffer, id)
  local client = vim.lsp.get_client_by_id(id)
  assert(vim.wait(15000, function() return client.initialized end, 20), "initialize was not answered")
  vim.wait(300) -- 0.7 sends didOpen a little after that
  vim.api.nvim_win_set_cursor(0, { tonumber(os.getenv("LINE")), 0 })
  vim.lsp.buf.code_action()
  assert(vim.wait(5000, function() return chosen end, 20), "no code actions")
  assert(vim.wait(15000, function() return ended end, 20), "the job did not end")
  vim.wait(300)
  report.buffer = vim.api.nvim_buf_get_lines(buffer, 0, -1, false)
  report.undo_steps = vim.fn.undotree().seq_last
  vim.lsp.stop_client(id)
end, debug.traceback)
if not ok then report.error = tostring(failure) end
local out = io.open(os.getenv("OUT"), "w")
out:write(vim.json and vim.json.encode(report) or vim.fn.json_encode(report))
out:close()
vim.wait(300)
vim.cmd("qa!")

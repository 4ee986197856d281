;;; Drives Eglot: opens FILE, runs the code action at LINE whose title holds ACTION, waits for its effect, and writes
;;; what it saw as JSON to OUT.  -*- lexical-binding: t -*-
(require 'eglot)
(require 'json)
(setq eglot-confirm-server-initiated-edits nil
      eglot-sync-connect 15
      make-backup-files nil
      auto-save-default nil)
(add-to-list 'eglot-server-programs
             `(python-mode . (,(getenv "PYTHON") "-I" ,(getenv "SERVER") "lsp")))

(defvar report-messages nil)
(cl-defmethod eglot-handle-notification (_server (_method (eql window/showMessage)) &key message &allow-other-keys)
  (push message report-messages))

(defun report-wait (until seconds)
  "Wait for UNTIL, at most SECONDS; in batch nothing is idle, so didChange is sent by hand."
  (let ((deadline (+ (float-time) seconds)))
    (while (and (not (funcall until)) (< (float-time) deadline))
      (accept-process-output nil 0.05)
      (ignore-errors (eglot--signal-textDocument/didChange)))
    (funcall until)))

(let ((error-text nil) (titles nil) (before nil))
  (condition-case failure
      (progn
        (find-file (getenv "FILE"))
        (python-mode)
        (setq before (buffer-string))
        (apply #'eglot (eglot--guess-contact))
        (report-wait #'eglot-current-server 15)
        (goto-char (point-min))
        (forward-line (1- (string-to-number (getenv "LINE"))))
        (let* ((server (eglot-current-server))
               (place (eglot--pos-to-lsp-position (line-beginning-position)))
               (end (eglot--pos-to-lsp-position (line-end-position)))
               (actions (jsonrpc-request server :textDocument/codeAction
                                         (list :textDocument (eglot--TextDocumentIdentifier)
                                               :range (list :start place :end end)
                                               :context '(:diagnostics []))))
               (action (seq-find (lambda (it) (string-match-p (regexp-quote (getenv "ACTION")) (plist-get it :title)))
                                 actions)))
          (setq titles (mapcar (lambda (it) (plist-get it :title)) actions))
          (let ((command (plist-get action :command)))
            (eglot-execute-command server (intern (plist-get command :command)) (plist-get command :arguments)))
          (report-wait (lambda () (or report-messages (not (equal before (buffer-string))))) 15)
          (report-wait #'ignore 1)))
    (error (setq error-text (error-message-string failure))))
  (let ((report (list :error error-text :titles (vconcat titles) :messages (vconcat report-messages)
                      :buffer (vconcat (split-string (buffer-string) "\n")))))
    (with-temp-file (getenv "OUT") (insert (json-encode report))))
  (kill-emacs 0))

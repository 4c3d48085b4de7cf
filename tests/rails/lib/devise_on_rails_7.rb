# frozen_string_literal: true

# Devise 4.8 leaves out a keyword that Rails 7.2 demands when a constant is
# renamed. Debian 13 has no Devise of its own, so the one of Debian 12 runs there.
module DeviseOnRails7
  def included(base)
    super
    base.singleton_class.prepend(Module.new do
      def deprecate_constant(*names, deprecator: ActiveSupport::Deprecation.new, **rest) = super
    end)
  end
end

if ActiveSupport.version >= Gem::Version.new('7.1')
  require 'active_support/deprecation/constant_accessor'
  ActiveSupport::Deprecation::DeprecatedConstantAccessor.singleton_class.prepend(DeviseOnRails7)
end
